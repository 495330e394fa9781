package floor

import (
	"testing"

	"xplan/internal/bench/null"
)

func TestTheFloorCopiesAndComparesAllKeys(t *testing.T) {
	for _, shape := range []string{null.Hex, null.Unicode, null.Hostile, null.Ten, null.None} {
		keys, err := null.NewNamespace(shape, 4321, null.Sizes{})
		if err != nil {
			t.Fatal(err)
		}
		s, err := null.Start(t.Context(), "127.0.0.1:0", null.Config{Keys: keys})
		if err != nil {
			t.Fatal(err)
		}
		c := New(s.URL(), null.Source, null.Destination, 16)
		if err := c.Copy(t.Context(), keys); err != nil {
			t.Fatal(err)
		}
		if st := s.Stats(); st.Present != st.Keys || st.Doubled != 0 || st.Connections > 32 {
			t.Errorf("%s: %+v", shape, st)
		}
		s.Reset(null.Config{Keys: keys})
		if err := c.CopyRaw(t.Context(), keys); err != nil {
			t.Fatal(err)
		}
		if st := s.Stats(); st.Present != st.Keys || st.Doubled != 0 {
			t.Errorf("%s, raw: %+v", shape, st)
		}
		if err := c.Copy(t.Context(), keys); err != nil { // for the comparison
			t.Fatal(err)
		}
		if shape == null.Hostile {
			continue // its keys are no legal place to start behind
		}
		if n, err := c.Compare(t.Context(), keys); err != nil || n != int64(keys.Len()) {
			t.Errorf("%s: compared %d keys of %d, %v", shape, n, keys.Len(), err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}
