package spell

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// A Pick chooses one of n, from 0.
type Pick func(n int) int

// Again returns the policy in other words: members, statements, lists and conditions in another order, entries
// twice, lists of one as scalars and back, the letters of actions and condition keys, account IDs as root ARNs and
// back, everyone as "*" and as {"AWS": "*"} where it is allowed something, numbers and booleans with quotes and
// without. ids names unique IDs (AIDA…) by the ARNs of their principals, which may stand in their place.
func Again(text []byte, pick Pick, ids map[string]string) ([]byte, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var root map[string]any
	if err := d.Decode(&root); err != nil {
		return nil, fmt.Errorf("spell a policy: %w", err)
	}
	s := speller{pick, ids}
	root["Statement"] = s.statements(root["Statement"])
	var b bytes.Buffer
	s.write(&b, root)
	if pick(2) == 0 {
		var indented bytes.Buffer
		if err := json.Indent(&indented, b.Bytes(), "", strings.Repeat(" ", pick(4))); err != nil {
			return nil, fmt.Errorf("spell a policy: %w", err)
		}
		return indented.Bytes(), nil
	}
	return b.Bytes(), nil
}

type speller struct {
	pick Pick
	ids  map[string]string
}

func (s speller) statements(v any) any {
	all, ok := v.([]any)
	if !ok {
		all = []any{v}
	}
	for _, one := range all {
		s.statement(one.(map[string]any))
	}
	all = s.shuffled(all)
	if len(all) == 1 && s.pick(2) == 0 {
		return all[0]
	}
	return all
}

func (s speller) statement(m map[string]any) {
	if sid, ok := m["Sid"]; (!ok || sid == "") && s.pick(3) == 0 {
		m["Sid"] = ""
	}
	for _, name := range []string{"Action", "NotAction"} {
		if v, ok := m[name]; ok {
			m[name] = s.list(v, s.letters)
		}
	}
	for _, name := range []string{"Resource", "NotResource"} {
		if v, ok := m[name]; ok {
			m[name] = s.list(v, nil)
		}
	}
	for _, name := range []string{"Principal", "NotPrincipal"} {
		if v, ok := m[name]; ok {
			m[name] = s.principal(v, name == "Principal" && m["Effect"] == "Allow")
		}
	}
	if v, ok := m["Condition"].(map[string]any); ok {
		m["Condition"] = s.condition(v)
	}
}

// principal: that everyone under "AWS" is everyone, AWS says of Allow alone.
func (s speller) principal(v any, allowed bool) any {
	m, ok := v.(map[string]any)
	if !ok {
		if allowed && s.pick(2) == 0 {
			return map[string]any{"AWS": s.list("*", nil)}
		}
		return v
	}
	if allowed && len(m) == 1 && slices.Equal(texts(m["AWS"]), []string{"*"}) && s.pick(2) == 0 {
		return "*"
	}
	other := map[string]any{}
	for kind, names := range m {
		if kind == "AWS" {
			other[kind] = s.list(names, s.name)
		} else {
			other[kind] = s.list(names, nil)
		}
	}
	return other
}

// name writes an account as its number or its root's ARN, and a user or role as its unique ID.
func (s speller) name(v string) string {
	if id := s.ids[v]; id != "" && s.pick(2) == 0 {
		return id
	}
	if s.pick(2) == 0 {
		return v
	}
	if regexp.MustCompile(`^\d{12}$`).MatchString(v) {
		return "arn:aws:iam::" + v + ":root"
	}
	if m := regexp.MustCompile(`^arn:aws:iam::(\d{12}):root$`).FindStringSubmatch(v); m != nil {
		return m[1]
	}
	return v
}

func (s speller) condition(m map[string]any) map[string]any {
	other := map[string]any{}
	for operator, keys := range m {
		below := map[string]any{}
		for key, values := range keys.(map[string]any) {
			below[s.letters(key)] = s.values(operator, values)
		}
		other[operator] = below
	}
	return other
}

// values writes true and 10 with quotes or without, where the operator reads them so.
func (s speller) values(operator string, v any) any {
	bare := strings.HasPrefix(operator, "Bool") || strings.HasPrefix(operator, "Numeric") || strings.HasPrefix(operator, "Null")
	switch all := s.list(v, nil).(type) {
	case []any:
		for i := range all {
			all[i] = s.bare(bare, all[i])
		}
		return all
	default:
		return s.bare(bare, all)
	}
}

func (s speller) bare(may bool, v any) any {
	text := v.(string)
	if !may || s.pick(2) == 0 {
		return text
	}
	if text == "true" || text == "false" || regexp.MustCompile(`^\d+$`).MatchString(text) {
		return json.Number(text) // written as it stands
	}
	return text
}

// letters changes the case of some.
func (s speller) letters(v string) string {
	switch s.pick(3) {
	case 0:
		return strings.ToLower(v)
	case 1:
		return strings.ToUpper(v)
	}
	return v
}

// texts is a scalar or a list as a list of texts.
func texts(v any) []string {
	all, ok := v.([]any)
	if !ok {
		all = []any{v}
	}
	list := make([]string, 0, len(all))
	for _, one := range all {
		list = append(list, fmt.Sprint(one))
	}
	return list
}

// list is a set in some order, as a scalar if it can be one.
func (s speller) list(v any, form func(string) string) any {
	all := texts(v)
	if len(all) > 0 && s.pick(3) == 0 {
		all = append(all, all[s.pick(len(all))])
	}
	list := make([]any, 0, len(all))
	for _, one := range all {
		if form != nil {
			one = form(one)
		}
		list = append(list, one)
	}
	list = s.shuffled(list)
	if len(list) == 1 && s.pick(2) == 0 {
		return list[0]
	}
	return list
}

func (s speller) shuffled(all []any) []any {
	all = slices.Clone(all)
	for i := len(all) - 1; i > 0; i-- {
		j := s.pick(i + 1)
		all[i], all[j] = all[j], all[i]
	}
	return all
}

// write writes JSON whose members stand in any order.
func (s speller) write(b *bytes.Buffer, v any) {
	switch v := v.(type) {
	case map[string]any:
		names := make([]any, 0, len(v))
		for _, name := range slices.Sorted(maps.Keys(v)) {
			names = append(names, name)
		}
		b.WriteByte('{')
		for i, name := range s.shuffled(names) {
			if i > 0 {
				b.WriteByte(',')
			}
			s.write(b, name)
			b.WriteByte(':')
			s.write(b, v[name.(string)])
		}
		b.WriteByte('}')
	case []any:
		b.WriteByte('[')
		for i, one := range v {
			if i > 0 {
				b.WriteByte(',')
			}
			s.write(b, one)
		}
		b.WriteByte(']')
	case json.Number:
		b.WriteString(v.String())
	default:
		text, err := json.Marshal(v)
		if err != nil { // texts and null always can
			panic(fmt.Sprintf("spell %v: %v", v, err))
		}
		b.Write(text)
	}
}
