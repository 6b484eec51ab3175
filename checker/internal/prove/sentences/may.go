package sentences

// May is how many assertions of each kata may say nothing: as many as did when this was
// begun to be looked at. It only falls; a kata that does not stand here may have none.
var May = map[string]int{"05-pipe": 85, "09-gil": 33}
