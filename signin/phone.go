package signin

import (
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"langso/commune"
	"langso/commune/people"
	"langso/notify/webpush"
	"langso/signin/firebase"
	"langso/sync/phones"
	"langso/sync/wire"
)

var (
	errKey        = refuse(http.StatusBadRequest, "bad_key", "Khóa của máy không hợp lệ, xin mở lại ứng dụng.")
	errInvitation = refuse(http.StatusForbidden, "bad_invitation", "Mã mời không đúng, đã dùng hoặc đã quá 10 phút. Xin lấy mã mới ở bàn một cửa.")
	errNotOfficer = refuse(http.StatusForbidden, "not_yours", "Chỉ cán bộ một cửa đang làm nhiệm vụ mới mời được.")
	errToken      = refuse(http.StatusForbidden, "bad_token", "Chưa xác nhận được số điện thoại, hoặc số này chưa khai với xã. Xin làm lại, hoặc đến bàn một cửa để quét mã QR.")
	errTokensOff  = refuse(http.StatusServiceUnavailable, "firebase_off", "Xã chưa mở cách đăng nhập này. Xin dùng mã gửi qua tin nhắn.")
	errNobody     = refuse(http.StatusNotFound, "not_found", "Không tìm thấy người này.")
)

// holder is a person who has a number.
type holder struct {
	ID   string `db:"id" json:"id"`
	Name string `db:"name" json:"name"`
	Born string `db:"born" json:"born"`
}

func (s *Service) holders(number string) ([]holder, error) {
	var all []holder
	err := s.App.ConcurrentDB().NewQuery(`SELECT id, name, substr(born, 1, 4) AS born FROM persons WHERE phone_number = {:number} AND status != 'dead' ORDER BY born, name`).
		Bind(dbx.Params{"number": number}).All(&all)
	return all, err
}

func (s *Service) signIn(e *core.RequestEvent, body []byte) (any, error) {
	var ask struct{ Number, Code, Person, Invitation, Firebase, Key, Label string }
	if err := decode(body, &ask); err != nil {
		return nil, err
	}
	if _, err := wire.ParseKey(ask.Key); err != nil {
		return nil, errKey
	}
	if ask.Invitation != "" {
		return s.byInvitation(ask.Invitation, ask.Key, ask.Label)
	}
	number, use, err := s.prove(e, ask.Firebase, ask.Number, ask.Code, ask.Key)
	if err != nil {
		return nil, err
	}
	who, err := s.holders(number)
	if err != nil {
		return nil, err
	}
	if ask.Person == "" && len(who) > 1 {
		return map[string]any{"choose": who}, nil
	}
	for _, h := range who {
		if ask.Person == "" || h.ID == ask.Person {
			return s.admitPhone(h, ask.Key, ask.Label, func(tx core.App) error {
				if err := use(tx); err != nil {
					return err
				}
				// The number is theirs: that much is known of them now.
				_, err := tx.NonconcurrentDB().NewQuery(`UPDATE persons SET identity_level = 1 WHERE id = {:id} AND identity_level = 0`).Bind(dbx.Params{"id": h.ID}).Execute()
				return err
			})
		}
	}
	if ask.Firebase != "" {
		return nil, errToken
	}
	return nil, errCode // somebody else's id: the same as a wrong code
}

// prove returns the number that the person has shown to hold, by a code or by
// Firebase's word, and what uses the proof up. Firebase's is good for five minutes,
// for its number's persons and for one phone.
func (s *Service) prove(e *core.RequestEvent, token, given, code, key string) (number string, use func(core.App) error, err error) {
	if token == "" {
		number, ok := people.Number(given)
		if !ok {
			return "", nil, errNumber
		}
		return number, func(tx core.App) error { return s.useCode(tx, number, code) }, s.tryCode(number, code)
	}
	if s.Tokens == nil {
		return "", nil, errTokensOff
	}
	said, err := s.Tokens.Prove(e.Request.Context(), token)
	if errors.Is(err, firebase.ErrAway) {
		return "", nil, err
	}
	number, ok := people.Number(said.Number)
	if err != nil || !ok {
		return "", nil, errToken
	}
	return number, func(tx core.App) error { return s.useProof(tx, said, key) }, nil
}

// keepProof is for how long a proof that was used is remembered: longer than any
// is good, whatever the two clocks say.
const keepProof = time.Hour

// useProof lets a sign-in of Firebase's bring in one phone: the same one again, whose
// answer may have been lost, but no other.
func (s *Service) useProof(tx core.App, p firebase.Proof, key string) error {
	now := s.now()
	if _, err := tx.NonconcurrentDB().NewQuery(`DELETE FROM used_proofs WHERE at < {:old}`).Bind(dbx.Params{"old": now.Add(-keepProof).Unix()}).Execute(); err != nil {
		return err
	}
	var by string
	err := tx.NonconcurrentDB().NewQuery(`INSERT INTO used_proofs (proof, phone_key, at) VALUES ({:proof}, {:key}, {:now})
		ON CONFLICT (proof) DO UPDATE SET at = at RETURNING phone_key`).Bind(dbx.Params{"proof": p.ID[:], "key": key, "now": now.Unix()}).Row(&by)
	if err == nil && by != key {
		return errToken
	}
	return err
}

// admitPhone makes the row of a phone, or finds it by its key.
func (s *Service) admitPhone(who holder, key, label string, also func(core.App) error) (any, error) {
	label = clip(strings.TrimSpace(label), 120)
	if label == "" {
		label = "Điện thoại của " + clip(who.Name, 90)
	}
	var id string
	err := s.App.RunInTransaction(func(tx core.App) error {
		if err := also(tx); err != nil {
			return err
		}
		r, err := tx.FindFirstRecordByData("phones", "public_key", key)
		if errors.Is(err, sql.ErrNoRows) {
			coll, err := tx.FindCachedCollectionByNameOrId("phones")
			if err != nil {
				return err
			}
			r = core.NewRecord(coll)
			r.Set("public_key", key)
			r.Set("person", who.ID)
		} else if err != nil {
			return err
		}
		if r.GetBool("blocked") {
			return phones.ErrBlocked
		}
		// One key is one person for ever: its edits are numbered as theirs.
		if r.GetString("person") != who.ID {
			return errKey
		}
		r.Set("label", label)
		if err := tx.Save(r); err != nil {
			return err
		}
		id = r.Id
		return nil
	})
	if err != nil {
		return nil, err
	}
	answer := map[string]any{"phone": id, "person": map[string]string{"id": who.ID, "name": who.Name}}
	if s.Load != nil {
		if load := s.Load(who.ID); len(load) > 0 {
			answer["load"] = load
		}
	}
	return answer, nil
}

func clip(s string, most int) string {
	for utf8.RuneCountInString(s) > most {
		_, n := utf8.DecodeLastRuneInString(s)
		s = s[:len(s)-n]
	}
	return s
}

// invitationLife is how long a counter's QR is good.
const invitationLife = 10 * time.Minute

func (s *Service) invite(e *core.RequestEvent, body []byte) (any, error) {
	officer, err := s.signed(e.Request, body)
	if err != nil {
		return nil, err
	}
	var ask struct{ Person string }
	if err := decode(body, &ask); err != nil {
		return nil, err
	}
	if s.MayInvite == nil || !s.MayInvite(s.App, officer.Person) {
		return nil, errNotOfficer
	}
	token := strings.ToLower(rand.Text())
	expires := s.now().Add(invitationLife)
	if err := s.keepInvitation(token, ask.Person, officer.Person, expires); err != nil {
		return nil, err
	}
	link := s.base(e.Request) + "/#/dang-nhap?moi=" + token
	svg, err := drawQR(link)
	if err != nil {
		return nil, err
	}
	return map[string]string{"link": link, "svg": svg, "expires": expires.UTC().Format(time.RFC3339)}, nil
}

// keepInvitation writes the invitation and, since whoever holds it can sign in as
// the person, tells the person of it in the log of who saw their records.
func (s *Service) keepInvitation(token, person, officer string, expires time.Time) error {
	return s.App.RunInTransaction(func(tx core.App) error {
		var status, name string
		err := tx.DB().NewQuery(`SELECT status, ifnull((SELECT name FROM persons WHERE id = {:officer}), 'Cán bộ một cửa') FROM persons WHERE id = {:person}`).
			Bind(dbx.Params{"person": person, "officer": officer}).Row(&status, &name)
		if errors.Is(err, sql.ErrNoRows) || status == "dead" {
			return errNobody
		}
		if err != nil {
			return err
		}
		_, err = tx.NonconcurrentDB().NewQuery(`INSERT INTO invitations (hash, person, by, expires) VALUES ({:hash}, {:person}, {:by}, {:expires})`).
			Bind(dbx.Params{"hash": hashToken(token), "person": person, "by": officer, "expires": expires.Unix()}).Execute()
		if err != nil {
			return err
		}
		log, err := tx.FindCachedCollectionByNameOrId("access_log")
		if err != nil {
			return err
		}
		r := core.NewRecord(log)
		r.Load(map[string]any{"person": person, "who": clip(name, 120), "what": "Mã QR đăng nhập",
			"why": "Mời vào ứng dụng tại bàn một cửa", "at": commune.Moment(s.now())})
		return tx.Save(r)
	})
}

func hashToken(token string) []byte {
	sum := sha256.Sum256([]byte(token))
	return sum[:]
}

func (s *Service) base(r *http.Request) string {
	if s.PublicURL != "" {
		return strings.TrimRight(s.PublicURL, "/")
	}
	scheme := "http"
	if r.TLS != nil {
		scheme = "https"
	}
	return scheme + "://" + r.Host
}

func (s *Service) byInvitation(token, key, label string) (any, error) {
	var who holder
	err := s.App.ConcurrentDB().NewQuery(`SELECT p.id, p.name, substr(p.born, 1, 4) AS born FROM invitations i JOIN persons p ON p.id = i.person
		WHERE i.hash = {:hash} AND i.expires > {:now}`).Bind(dbx.Params{"hash": hashToken(token), "now": s.now().Unix()}).One(&who)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, errInvitation
	}
	if err != nil {
		return nil, err
	}
	return s.admitPhone(who, key, label, func(tx core.App) error {
		used, err := tx.NonconcurrentDB().NewQuery(`DELETE FROM invitations WHERE hash = {:hash} OR expires <= {:now}`).
			Bind(dbx.Params{"hash": hashToken(token), "now": s.now().Unix()}).Execute()
		if err != nil {
			return err
		}
		if n, err := used.RowsAffected(); err != nil || n == 0 {
			return errInvitation // two phones at once: the first has it
		}
		// The officer has seen the person.
		_, err = tx.NonconcurrentDB().NewQuery(`UPDATE persons SET identity_level = 2 WHERE id = {:id} AND identity_level < 2`).Bind(dbx.Params{"id": who.ID}).Execute()
		return err
	})
}

func (s *Service) address(e *core.RequestEvent, body []byte) (any, error) {
	p, err := s.signed(e.Request, body)
	if err != nil {
		return nil, err
	}
	var ask struct {
		Transport string
		Address   json.RawMessage
	}
	if err := decode(body, &ask); err != nil {
		return nil, err
	}
	address, err := s.readAddress(ask.Transport, ask.Address)
	if err != nil {
		return nil, err
	}
	err = s.App.RunInTransaction(func(tx core.App) error {
		// An address wakes one phone: the last that registered it.
		if address != "" {
			_, err := tx.NonconcurrentDB().NewQuery(`UPDATE phones SET transport = 'none', address = '' WHERE address = {:address} AND id != {:id}`).
				Bind(dbx.Params{"address": address, "id": p.ID}).Execute()
			if err != nil {
				return err
			}
		}
		_, err := tx.NonconcurrentDB().NewQuery(`UPDATE phones SET transport = {:transport}, address = {:address}, address_state = 'ok', gone_at = 0,
			registered_at = max(registered_at + 1, {:now}) WHERE id = {:id}`).
			Bind(dbx.Params{"transport": ask.Transport, "address": address, "id": p.ID, "now": s.now().Unix()}).Execute()
		return err
	})
	return map[string]any{}, err
}

// readAddress returns an address as it is kept. A subscription of web push comes
// as JSON, or as the text of that JSON.
func (s *Service) readAddress(transport string, raw json.RawMessage) (string, error) {
	var text string
	isText := json.Unmarshal(raw, &text) == nil
	switch {
	case transport == "none":
		return "", nil
	case transport == "fcm" && isText && text != "" && len(text) <= 4096:
		return text, nil
	case transport == "webpush" && s.WebPush != nil:
		if !isText {
			text = string(raw)
		}
		kept, err := s.WebPush.Canonical(text)
		var bad *webpush.BadAddress
		if errors.As(err, &bad) {
			return "", refuse(http.StatusBadRequest, bad.Code, bad.Say)
		}
		return kept, err
	}
	return "", refuse(http.StatusBadRequest, "bad_address", "Địa chỉ đánh thức máy không hợp lệ.")
}

// signOut forgets the phone's key and address. The row stays: its edits and
// verdicts are under its id.
func (s *Service) signOut(e *core.RequestEvent, body []byte) (any, error) {
	p, err := s.signed(e.Request, body)
	if err != nil {
		return nil, err
	}
	if err := s.phones().Forget(p.ID); err != nil {
		return nil, err
	}
	if s.Left != nil {
		s.Left(p.ID)
	}
	return map[string]any{}, nil
}
