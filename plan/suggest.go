package plan

import "strings"

// closest returns the word that s was probably meant to be, if one is near.
func closest(s string, words []string) (string, bool) {
	const longest = 64 // nobody misspells a longer one
	if len(s) > longest {
		return "", false
	}
	from := folded(s)
	best, distance := "", max(1, len(from)/3)+1
	for _, w := range words {
		if d := edits(from, folded(w)); d < distance {
			best, distance = w, d
		}
	}
	return best, best != ""
}

// folded drops what people mix up without meaning another word.
func folded(s string) []rune {
	word := []rune(strings.ToLower(s))
	for i, r := range word {
		if r == '-' || r == ' ' {
			word[i] = '_'
		}
	}
	return word
}

// edits counts the insertions, deletions, changes and swaps of neighbours that
// turn one word into another.
func edits(a, b []rune) int {
	before := make([]int, len(b)+1)
	above := make([]int, len(b)+1)
	row := make([]int, len(b)+1)
	for j := range above {
		above[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			change := 1
			if a[i-1] == b[j-1] {
				change = 0
			}
			row[j] = min(above[j]+1, row[j-1]+1, above[j-1]+change)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, above, row = above, row, before
	}
	return above[len(b)]
}
