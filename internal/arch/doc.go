// Package arch holds the import rules of the module, as a test.
package arch
