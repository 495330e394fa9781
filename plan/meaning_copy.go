package plan

import (
	"errors"
	"strings"
	"time"
)

// globs judges the patterns that the file gives under a copy.
func (c *checker) globs(at string) {
	if !c.has(at) || !c.ok(at) {
		return
	}
	for _, field := range []string{"include", "exclude"} {
		list, _ := c.get(at + "/" + field).([]any)
		for i, one := range list {
			glob, isText := one.(string)
			p := item(at+"/"+field, i)
			if !isText || !c.ok(p) {
				continue
			}
			var bad *globError
			if _, err := expand(glob); errors.As(err, &bad) {
				c.wrong(p, dotted(p)+": "+c.quote(glob)+" "+bad.why, bad.hint)
			}
		}
	}
}

// versions judges what does not go together with copying all of them.
func (c *checker) versions(at string, pair Pair) {
	field, extra := c.first(at+"/copy/versions", "/copy/versions"), c.first(at+"/copy/delete_extra", "/copy/delete_extra")
	if pair.Copy.AllVersions() && pair.Copy.DeleteExtra && c.ok(field, extra) {
		c.wrong(extra, dotted(extra)+" does not go together with versions: all in "+dotted(at),
			"of what only the destination has, the history would be hidden or lost; copy current versions only to mirror")
	}
	lock := c.first(at+"/copy/object_lock", "/copy/object_lock")
	if pair.Copy.AllVersions() && pair.Copy.ObjectLock == "preserve" && c.ok(field, lock) {
		c.wrong(lock, dotted(lock)+": preserve does not go together with versions: all in "+dotted(at),
			"the locks of old versions are not read: copy current versions only to keep locks")
	}
}

// globsBelow warns of an include that no key below the prefix can match:
// patterns are on whole keys.
func (c *checker) globsBelow(at string, pair Pair) {
	field := c.first(at+"/copy/include", "/copy/include")
	if pair.Prefix == "" || !c.has(field) || !c.ok(field, at+"/prefix") {
		return
	}
	for i, glob := range pair.Copy.Include {
		lead := glob
		if j := strings.IndexAny(glob, `*?[{\`); j >= 0 {
			lead = glob[:j]
		}
		p := item(field, i)
		if c.ok(p) && !strings.HasPrefix(lead, pair.Prefix) && !strings.HasPrefix(pair.Prefix, lead) {
			c.warn(p, dotted(p)+" matches no key below the prefix "+c.quote(pair.Prefix)+" of "+dotted(at),
				"patterns are on whole keys, with the prefix")
		}
	}
}

// restore judges how archives are restored.
func (c *checker) restore(at string, pair Pair) {
	field := c.first(at+"/copy/restore", "/copy/restore")
	if !c.has(field) || !c.ok(field, field+"/wait", field+"/tier") {
		return
	}
	if _, err := time.ParseDuration(pair.Copy.Restore.Wait); err != nil {
		c.wrong(field+"/wait", dotted(field)+".wait: "+c.quote(pair.Copy.Restore.Wait)+" is no duration", "such as 12h or 1h30m")
	}
	if pair.Copy.Archived != "restore" && c.ok(at+"/copy/archived", "/copy/archived") {
		c.warn(field, dotted(field)+" says how to restore, and archived is report for "+dotted(at), "write archived: restore")
	}
}
