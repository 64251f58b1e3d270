package bundle

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"slipway/internal/app"
	"slipway/internal/fault"
)

// TestAHostileArchiveIsRefusedAsAWhole holds security S2 to S5 and faults 36 and 37: each is refused with one error that
// says why, and no application gets anything.
func TestAHostileArchiveIsRefusedAsAWhole(t *testing.T) {
	other := strings.Repeat("0", 40)
	special := func(kind byte) []byte {
		return pack(t, file("a/x.yaml", "x: 1"), entry{name: top + "/a/evil", Header: tar.Header{Typeflag: kind, Linkname: "/etc/passwd"}})
	}
	named := func(name string) []byte { return pack(t, file("a/x.yaml", "x: 1"), entry{name: name, text: "x"}) }
	good := pack(t, file("a/x.yaml", strings.Repeat("x: 1\n", 5000)))
	flipped := bytes.Clone(good)
	flipped[len(flipped)-6] ^= 1 // in gzip's checksum
	small := Limits{Stream: 100_000, Entries: 50, Ratio: 200, RatioFloor: 50_000}
	for name, c := range map[string]struct {
		archive []byte
		kind    fault.Kind
		want    string
	}{
		"a symbolic link":            {special(tar.TypeSymlink), fault.Invalid, `a/evil" is a link (to "/etc/passwd")`},
		"a hard link":                {special(tar.TypeLink), fault.Invalid, "is a link"},
		"a character device":         {special(tar.TypeChar), fault.Invalid, "is a device"},
		"a block device":             {special(tar.TypeBlock), fault.Invalid, "is a device"},
		"a fifo":                     {special(tar.TypeFifo), fault.Invalid, "is a device or a fifo"},
		"a contiguous file":          {special(tar.TypeCont), fault.Invalid, "neither a file nor a directory"},
		"an absolute path":           {named("/etc/passwd"), fault.Invalid, "is absolute"},
		"a path that leads out":      {named(top + "/a/../../../etc/passwd"), fault.Invalid, "leads out"},
		"dots at the start":          {named("../" + top + "/x"), fault.Invalid, "leads out"},
		"a dot in a path":            {named(top + "/./a/y.yaml"), fault.Invalid, "not a clean path"},
		"an empty part":              {named(top + "//a/y.yaml"), fault.Invalid, "not a clean path"},
		"a backslash":                {named(top + `/a\..\y.yaml`), fault.Invalid, "backslash"},
		"a drive":                    {named(top + "/C:/y.yaml"), fault.Invalid, "names a drive"},
		"a name that is not UTF-8":   {named(top + "/a/\xff\xfe"), fault.Invalid, "not UTF-8"},
		"a name of 2,000 letters":    {named(top + "/" + strings.Repeat("a", 2000)), fault.Invalid, "at most 1024"},
		"the same path twice":        {named(top + "/a/x.yaml"), fault.Invalid, "comes twice"},
		"the same path in capitals":  {named(top + "/A/X.yaml"), fault.Invalid, "upper and lower case"},
		"a Kelvin sign for a k":      {pack(t, file("a/k", ""), file("a/\u212a", "")), fault.Invalid, "upper and lower case"},
		"a second top directory":     {named("other-1a2b3c4/x"), fault.Invalid, "two top directories"},
		"a file beside the top":      {named("x"), fault.Invalid, "two top directories"},
		"a file as the top":          {zip(t, packTar(t, global(string(sha)), entry{name: top, text: "x"})), fault.Invalid, "outside of the top directory"},
		"the top of another commit":  {zip(t, packTar(t, global(string(sha)), entry{name: "o-r-0000000/"})), fault.Invalid, "not of this commit"},
		"a top without a commit":     {zip(t, packTar(t, global(string(sha)), entry{name: "repository/"})), fault.Invalid, "not of this commit"},
		"a comment of another":       {zip(t, packTar(t, global(other), entry{name: top + "/"})), fault.Invalid, "it is of commit"},
		"two comments":               {pack(t, file("a/x.yaml", "x: 1"), global(other)), fault.Invalid, "it is of commit"},
		"no comment":                 {zip(t, packTar(t, entry{name: top + "/"}, file("a/x.yaml", "x: 1"))), fault.Invalid, "does not say of which commit"},
		"no entries":                 {zip(t, packTar(t)), fault.Invalid, "it is empty"},
		"a bomb by ratio":            {pack(t, file("b/x", strings.Repeat("\x00", 90_000))), fault.Invalid, "200 times its size"},
		"a bomb by size":             {pack(t, file("b/x", noise(120_000))), fault.Invalid, "more than 100000 bytes"},
		"a bomb after the last file": {zip(t, append(packTar(t, global(string(sha)), entry{name: top + "/"}, file("a/x.yaml", "x")), make([]byte, 90_000)...)), fault.Invalid, "200 times its size"},
		"too many empty files":       {pack(t, many(60)...), fault.Invalid, "more than 50 entries"},
		"a sparse file":              {sparse(t), fault.Invalid, "neither a file nor a directory"},
		"a sparse file by pax":       {paxSparse(t), fault.Invalid, `a/sparse" is a sparse file`},
		"a size that lies":           {lying(t), fault.Unavailable, "truncated or corrupt"},
		"a header that is damaged":   {damaged(t), fault.Unavailable, "truncated or corrupt"},
		"half of it":                 {good[:len(good)/2], fault.Unavailable, "truncated or corrupt"},
		"all but the checksum":       {good[:len(good)-8], fault.Unavailable, "truncated or corrupt"},
		"a wrong checksum":           {flipped, fault.Unavailable, "truncated or corrupt"},
		"nothing":                    {nil, fault.Unavailable, "truncated or corrupt"},
		"an error page":              {[]byte("<html>try again</html>"), fault.Unavailable, "truncated or corrupt"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := Cut(t.Context(), bytes.NewReader(c.archive), sha, []app.Application{at("a", "a")}, small)
			if got != nil || !fault.Is(err, c.kind) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, %v (%s)\nwant %s: %s", got, err, fault.Of(err), c.kind, c.want)
			}
		})
	}
}

func TestASmallArchiveMayBeCompressedAsWellAsItCan(t *testing.T) {
	archive := pack(t, file("a/x.yaml", strings.Repeat("\n", 4<<20)))
	got, err := Cut(t.Context(), bytes.NewReader(archive), sha, []app.Application{at("a", "a")}, Limits{})
	if err != nil || got["argocd/a"].Err != nil {
		t.Errorf("%d bytes for 4 MiB: %v %v", len(archive), err, got["argocd/a"].Err)
	}
}

func TestAFailingReaderAndAnEndedContextAreNotTheArchivesFault(t *testing.T) {
	archive := pack(t, file("a/x.yaml", noise(50_000)))
	apps := []app.Application{at("a", "a")}
	cut := io.MultiReader(bytes.NewReader(archive[:20_000]), iotest.ErrReader(errors.New("connection reset")))
	if _, err := Cut(t.Context(), cut, sha, apps, Limits{}); !fault.Is(err, fault.Unavailable) || !strings.Contains(err.Error(), "connection reset") {
		t.Errorf("connection reset: %v", err)
	}
	denied := io.MultiReader(bytes.NewReader(archive[:20_000]), iotest.ErrReader(fault.New(fault.Denied, "token revoked")))
	if _, err := Cut(t.Context(), denied, sha, apps, Limits{}); !fault.Is(err, fault.Denied) {
		t.Errorf("a sorted error keeps its kind: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Cut(ctx, bytes.NewReader(archive), sha, apps, Limits{}); !fault.Is(err, fault.Unavailable) || !errors.Is(err, context.Canceled) {
		t.Errorf("ended context: %v", err)
	}
}

// noise is text that gzip cannot make much smaller.
func noise(n int) string {
	b := make([]byte, 0, n+8)
	for x := uint64(1); len(b) < n; x = x*6364136223846793005 + 1442695040888963407 {
		b = binary.BigEndian.AppendUint64(b, x^x>>29)
	}
	return string(b[:n])
}

func many(n int) []entry {
	var out []entry
	for i := range n {
		out = append(out, file(fmt.Sprintf("a/%d", i), ""))
	}
	return out
}

// sparse claims a terabyte of zeros in a few bytes, in GNU's old form.
// paxSparse is a file of 1 TiB in a few bytes, by GNU's third way. The writer drops such records, so they are written
// under another name of the same length.
func paxSparse(t *testing.T) []byte {
	h := tar.Header{Typeflag: tar.TypeReg, Format: tar.FormatPAX, PAXRecords: map[string]string{
		"XYZ.sparse.major": "0", "XYZ.sparse.minor": "1", "XYZ.sparse.size": "1099511627776", "XYZ.sparse.map": "1099511627776,0",
		"XYZ.sparse.numblocks": "1", "XYZ.sparse.name": top + "/a/sparse",
	}}
	raw := packTar(t, global(string(sha)), entry{name: top + "/"}, entry{name: top + "/a/x", Header: h})
	return zip(t, bytes.ReplaceAll(raw, []byte("XYZ.sparse."), []byte("GNU.sparse.")))
}

func sparse(t *testing.T) []byte {
	t.Helper()
	var b [512]byte
	copy(b[:], top+"/a/hole")
	copy(b[100:], "0000644\x00")
	copy(b[124:], "00000000000\x00")
	copy(b[136:], "00000000000\x00")
	b[156] = 'S'
	copy(b[257:], "ustar  \x00")
	b[483] = 0x80 // real size, base 256
	binary.BigEndian.PutUint64(b[487:], 1<<40)
	sum(b[:])
	return splice(t, b[:])
}

// lying claims a file of 1 MB and ends after a few bytes.
func lying(t *testing.T) []byte {
	t.Helper()
	data := packTar(t, global(string(sha)), entry{name: top + "/"}, file("a/x.yaml", "x: 1\n"))
	head := bytes.LastIndex(data, []byte(top+"/a/x.yaml"))
	copy(data[head+124:], "00003641100\x00")
	sum(data[head : head+512])
	return zip(t, data)
}

func damaged(t *testing.T) []byte {
	t.Helper()
	data := packTar(t, global(string(sha)), entry{name: top + "/"}, file("a/x.yaml", "x: 1\n"))
	data[bytes.LastIndex(data, []byte(top+"/a/x.yaml"))+100] ^= 1
	return zip(t, data)
}

// splice puts a raw header after the top directory.
func splice(t *testing.T, block []byte) []byte {
	t.Helper()
	data := packTar(t, global(string(sha)), entry{name: top + "/"})
	data = append(data[:len(data)-1024], block...)
	return zip(t, append(data, make([]byte, 1024)...))
}

// sum writes a header's checksum.
func sum(b []byte) {
	copy(b[148:156], "        ")
	n := 0
	for _, c := range b[:512] {
		n += int(c)
	}
	copy(b[148:156], fmt.Sprintf("%06o\x00 ", n))
}
