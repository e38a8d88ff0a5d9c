package market

import (
	"math/big"
	"strings"
	"testing"
)

func TestLineAmount(t *testing.T) {
	for _, c := range []struct {
		name            string
		price, quantity int64
		want            int64
		ok              bool
	}{
		{"two kilos", 45000, 2000, 90000, true},
		{"half a đồng rounds up", 1, 500, 1, true},
		{"less rounds down", 1, 499, 0, true},
		{"nothing", 0, 1, 0, true},
		{"the most", 10_000_000_000, 100_000, 1_000_000_000_000, true},
		{"above the most", 10_000_000_000, 100_001, 0, false},
		{"beyond 64 bits", 10_000_000_000, 1_000_000_000_000, 0, false},
	} {
		got, ok := lineAmount(c.price, c.quantity)
		if ok != c.ok || ok && got != c.want {
			t.Errorf("%s: %d %v, want %d %v", c.name, got, ok, c.want, c.ok)
		}
	}
}

func FuzzLineAmountIsExact(f *testing.F) {
	f.Add(int64(45000), int64(2500))
	f.Add(int64(maxPrice), int64(maxQuantity*1000))
	f.Fuzz(func(t *testing.T, price, quantity int64) {
		if price < 0 || quantity < 0 {
			t.Skip()
		}
		exact := new(big.Int).Mul(big.NewInt(price), big.NewInt(quantity))
		exact.Add(exact, big.NewInt(500)).Div(exact, big.NewInt(1000))
		got, ok := lineAmount(price, quantity)
		if fits := exact.Cmp(big.NewInt(maxTotal)) <= 0; ok != fits || ok && exact.Cmp(big.NewInt(got)) != 0 {
			t.Errorf("%d × %d/1000 is %v, got %d %v", price, quantity, exact, got, ok)
		}
	})
}

func TestThousandths(t *testing.T) {
	for _, c := range []struct {
		quantity float64
		want     int64
		ok       bool
	}{
		{1, 1000, true}, {2.5, 2500, true}, {0.001, 1, true}, {0.1 + 0.2, 300, true}, {1e6, 1e9, true}, {999999.999, 999999999, true},
		{0, 0, false}, {-1, 0, false}, {0.0001, 0, false}, {1.0005, 0, false}, {1e6 + 0.001, 0, false}, {1e300, 0, false},
	} {
		got, ok := thousandths(c.quantity)
		if ok != c.ok || ok && got != c.want {
			t.Errorf("%v is %d %v, want %d %v", c.quantity, got, ok, c.want, c.ok)
		}
	}
}

func TestWordsOfNumbers(t *testing.T) {
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1.000", 45000: "45.000", 1234567: "1.234.567"} {
		if got := dong(n); got != want {
			t.Errorf("%d reads %q, want %q", n, got, want)
		}
	}
	if got := plain(2.5); got != "2,5" {
		t.Errorf("2.5 reads %q", got)
	}
}

// The check character catches every single wrong character and every swap of
// neighbours, and the codes of one order differ.
func TestPaymentCode(t *testing.T) {
	for six, want := range map[string]byte{"3F6W8Y": '0', "B7T0XN": 'Q'} {
		if got := checkCharacter(six); got != want {
			t.Errorf("check of %s is %c, want %c", six, got, want)
		}
	}
	seen := map[string]bool{}
	// As another program computes them from the 256 bits of the hash.
	golden := strings.Fields("PZG3WY0VN PZPGEV1M6 PZRPTQDCK PZDWYYQZE PZ510RFNA PZT0Q4CNJ PZN2JD6GE PZB8FHDM2")
	for try := range 8 {
		code := PaymentCode("0rder0000000001", try)
		if code != golden[try] {
			t.Errorf("code %d is %s, want %s", try, code, golden[try])
		}
		if len(code) != 9 || code[:2] != "PZ" || checkCharacter(code[2:8]) != code[8] || seen[code] {
			t.Errorf("code %d is %q", try, code)
		}
		seen[code] = true
		for i := 2; i < 8; i++ {
			for _, wrong := range []byte(alphabet) {
				if b := []byte(code); wrong != b[i] {
					b[i] = wrong
					if checkCharacter(string(b[2:8])) == code[8] {
						t.Errorf("%s passes for %s", b, code)
					}
				}
			}
			if b := []byte(code); i < 7 && b[i] != b[i+1] {
				b[i], b[i+1] = b[i+1], b[i]
				if checkCharacter(string(b[2:8])) == code[8] {
					t.Errorf("%s passes for %s", b, code)
				}
			}
		}
	}
}
