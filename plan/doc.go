// Package plan turns a plan file into a checked value, or into everything that
// is wrong with it at once, each with its place.
//
// A file goes through four steps. The text is parsed into YAML nodes, whose
// growth is bounded (aliases, nesting, size). The nodes become JSON values and a
// map from JSON pointers to places. The embedded schema judges their shape;
// what it refuses is taken out, so that the rest can still be judged. Defaults
// are filled in, a pair's overrides are laid over what holds for all, and
// the meaning is judged, field against field.
//
// Secrets have no field. What looks like one is refused by place and kind and
// never repeated, neither by its own problem nor by another's snippet.
//
// Not judged here: anything that only the accounts can tell, such as whether a
// bucket exists or a profile is known.
package plan
