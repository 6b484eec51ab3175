// Package browser holds no code: its tests open the pages of package timeline in a real
// browser. They stand apart so that nothing else is linked with what drives one.
package browser
