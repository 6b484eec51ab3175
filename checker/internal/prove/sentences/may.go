package sentences

// May is how many assertions of each kata may say nothing: as many as did when this was
// begun to be looked at. It only falls; a kata that does not stand here may have none.
var May = map[string]int{
	"01-spawn": 23, "02-pool": 69, "03-shared-memory": 103, "04-queue": 60, "05-pipe": 85,
	"06-event": 59, "07-async": 123, "08-deadlock": 53, "09-gil": 54, "10-crawl": 75,
}
