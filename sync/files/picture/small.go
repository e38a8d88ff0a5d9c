package picture

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"

	"github.com/disintegration/imaging"
)

// Fit returns the picture as a JPEG of at most side pixels on its longer side
// and, where it can be done, of at most most bytes (0: any). What one sees
// through becomes white. A PDF has none.
func (p *Picture) Fit(side, most int) ([]byte, error) {
	if p.image == nil {
		return nil, fmt.Errorf("make a small picture: %w", ErrKind)
	}
	img := p.image
	if p.Width > side || p.Height > side {
		img = imaging.Fit(img, side, side, imaging.Linear)
	}
	if !opaque(img) {
		white := imaging.New(img.Bounds().Dx(), img.Bounds().Dy(), color.White)
		img = imaging.Overlay(white, img, image.Point{}, 1)
	}
	var out []byte
	for _, try := range []struct{ part, quality int }{{1, 60}, {1, 45}, {1, 30}, {1, 18}, {2, 30}, {2, 15}} {
		if try.part > 1 {
			img = imaging.Fit(img, max(side/try.part, 1), max(side/try.part, 1), imaging.Linear)
		}
		var b bytes.Buffer
		if err := jpeg.Encode(&b, img, &jpeg.Options{Quality: try.quality}); err != nil {
			return nil, fmt.Errorf("make a small picture: %w", err)
		}
		if out = b.Bytes(); most == 0 || len(out) <= most {
			break
		}
	}
	return out, nil
}
