package main

import (
	"runtime/debug"
	"strings"
)

// stamped is what a release's build writes here: -ldflags '-X main.stamped=0.1.0'. It must be a variable for that.
var stamped string //nolint:gochecknoglobals // the linker writes it, nobody else

// version is that of the program: what a release stamped; else what Go found out, from the module's version or the tags
// of the checkout; else "dev". A plan's `requires` binds no build without a release's number.
func version() string {
	info, _ := debug.ReadBuildInfo()
	return versionOf(stamped, info)
}

func versionOf(stamped string, info *debug.BuildInfo) string {
	if v := strings.TrimPrefix(stamped, "v"); v != "" {
		return v
	}
	if info == nil || info.Main.Version == "" || info.Main.Version == "(devel)" {
		return "dev"
	}
	return strings.TrimPrefix(info.Main.Version, "v")
}
