package view

import (
	"os"

	"charm.land/lipgloss/v2"
)

// Console readies a console of Windows, which shows escape sequences as they are unless told. Elsewhere it does nothing.
func Console(f *os.File) { lipgloss.EnableLegacyWindowsANSI(f) }
