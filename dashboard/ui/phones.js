// The page of phones: who has not met the server for long, whose edits wait for
// a person, and how the server itself stands.
import { ago, bytes, clock, minutesLeft, moment, number } from "./words.js";

const day = 24 * 3600 * 1000; // milliseconds
const mostLag = 10000; // the server counts no further
const silent = 4 * day; // milliseconds without an exchange that are worth a call

export function pagePhones() {
    app.store.title = "Máy điện thoại";
    const data = store({ items: [], figures: {}, status: null, openings: [], now: new Date(), most: 0, search: "", loading: true });

    async function load() {
        data.loading = true;
        try {
            const [phones, openings] = await Promise.all([
                app.pb.send("/api/dashboard/phones", { query: { search: data.search }, requestKey: "phones" }),
                app.pb.send("/api/dashboard/openings", { requestKey: "openings" }),
            ]);
            data.now = moment(phones.now);
            data.items = phones.items;
            data.figures = phones.figures;
            data.status = phones.status || null;
            data.most = phones.most;
            data.openings = openings.items.filter((o) => o.open);
            data.loading = false;
        } catch (err) {
            if (!err.isAbort) {
                data.loading = false;
                app.checkApiError(err);
            }
        }
    }

    function block(phone) {
        const name = phone.person || phone.label;
        app.modals.confirm(
            t.div(
                { className: "txt-center" },
                t.h6({ className: "block" }, phone.blocked ? `Bỏ chặn máy «${phone.label}» của ${name}?` : `Chặn máy «${phone.label}» của ${name}?`),
                t.p({ className: "txt-hint" }, phone.blocked
                    ? "Lần gặp tới máy lại nhận được dữ liệu."
                    : "Lần gặp tới máy phải xóa dữ liệu đang giữ; việc chưa gửi vẫn ở lại trên máy."),
            ),
            async () => {
                try {
                    await app.pb.collection("phones").update(phone.id, { blocked: !phone.blocked });
                    app.toasts.success(phone.blocked ? "Đã bỏ chặn." : "Đã chặn.");
                } catch (err) {
                    app.checkApiError(err);
                }
                await load();
            },
            null,
            { className: "sm", yesButton: phone.blocked ? "Bỏ chặn" : "Chặn", noButton: "Thôi" },
        );
    }

    function check(phone) {
        const asked = phone.check === "asked";
        app.modals.confirm(
            t.div(
                { className: "txt-center" },
                t.h6({ className: "block" }, asked ? `Thôi nhờ máy «${phone.label}» kiểm tra?` : `Nhờ máy «${phone.label}» kiểm tra dữ liệu?`),
                t.p({ className: "txt-hint" }, asked ? "Máy chưa nhận được lời nhờ này." : "Lần gặp tới máy so từng mục đang giữ với máy chủ và chỉ sửa mục hỏng. Việc chưa gửi không bị đụng tới."),
            ),
            async () => {
                try {
                    await app.pb.collection("phones").update(phone.id, { deep_check: asked ? "" : "asked" });
                    app.toasts.success(asked ? "Đã thôi." : "Đã nhờ. Máy sẽ làm ở lần gặp tới.");
                } catch (err) {
                    app.checkApiError(err);
                }
                await load();
            },
            null,
            { className: "sm", yesButton: asked ? "Thôi nhờ" : "Kiểm tra", noButton: "Đóng" },
        );
    }

    async function close(opening) {
        try {
            await app.pb.send(`/api/dashboard/openings/${opening.id}`, { method: "DELETE" });
        } catch (err) {
            app.checkApiError(err);
        }
        await load();
    }

    return t.div(
        { pbEvent: "pagePhones", className: "page page-phones", onmount: load },
        t.div(
            { className: "page-content" },
            t.header(
                { className: "page-header" },
                t.nav({ className: "breadcrumbs" }, t.div({ className: "breadcrumb-item" }, "Máy điện thoại")),
                t.button(
                    { type: "button", className: () => `btn circle transparent secondary ${data.loading ? "loading" : ""}`, title: "Tải lại", onclick: load },
                    t.i({ className: "ri-refresh-line", ariaHidden: true }),
                ),
            ),
            t.div({ className: "commune-cards" }, () => cards(data)),
            () => data.openings.length ? openings(data, close) : null,
            app.components.searchbar({
                className: "commune-search",
                placeholder: "Tìm theo tên người (có dấu hay không đều được) hoặc tên máy…",
                value: () => data.search,
                onsubmit: (words) => {
                    data.search = words;
                    load();
                },
            }),
            t.div({ className: "commune-table" }, () => table(data, { block, check })),
        ),
    );
}

function cards(data) {
    const f = data.figures;
    const list = [
        ["Máy điện thoại", f.phones, f.blocked ? `${number(f.blocked)} máy đang chặn` : "không máy nào bị chặn"],
        ["Việc chờ cán bộ xem", f.parked, "giữ nguyên tới khi xử lý", f.parked > 0],
        ["Thông báo chờ gửi", f.waiting, f.dead ? `${number(f.dead)} tin đã bỏ sau nhiều lần` : "không tin nào bị bỏ", f.dead > 0],
        ["Mục đang chia sẻ", f.records, `số cuối cùng của sổ: ${number(f.seq)}`],
        ["Chờ ghi vào sổ đồng bộ", f.touched, "lâu không về 0 là có trục trặc", f.touched > 10000],
    ];
    const status = data.status && typeof data.status === "object" ? Object.entries(data.status) : [];
    return list.map(([label, figure, note, warn]) =>
        t.div(
            { className: `commune-card ${warn ? "warn" : ""}` },
            t.div({ className: "commune-label" }, label),
            t.div({ className: "commune-figure" }, figure === undefined ? "…" : number(figure)),
            t.div({ className: "commune-note" }, note),
        )
    ).concat(
        status.length
            ? t.div(
                { className: "commune-card commune-wide" },
                t.div({ className: "commune-label" }, "Đánh thức máy"),
                t.dl({ className: "commune-status" }, status.map(([k, v]) => t.div(null, t.dt(null, roads[k] ?? k), t.dd(null, said(v))))),
            )
            : [],
    );
}

// What people call the roads, and why one is closed: the server says it in English, for its log.
const roads = { "Đường fcm": "Firebase (FCM)", "Đường webpush": "Trình duyệt (Web Push)", "Đường sms": "Tin nhắn SMS" };
const said = (v) => String(v).replace(/(LANGSO_\w+) (?:is not set|names no gateway)/, "chưa đặt $1");

function openings(data, close) {
    return t.div(
        { className: "alert warning commune-openings" },
        data.openings.map((o) =>
            t.div(
                { className: "commune-opening" },
                t.i({ className: "ri-lock-unlock-line", ariaHidden: true }),
                t.span({ className: "txt" }, t.strong(null, o.title), ` đang mở, còn ${minutesLeft(moment(o.until), data.now)} phút. Lý do: ${o.reason}`),
                t.button({ type: "button", className: "btn sm secondary", onclick: () => close(o) }, t.span({ className: "txt" }, "Đóng lại")),
            )
        ),
    );
}

function table(data, actions) {
    if (!data.items.length) {
        return t.p({ className: "txt-hint txt-center commune-empty" }, data.loading ? "Đang tải…" : data.search ? "Không có máy nào như vậy." : "Chưa có máy nào đăng nhập.");
    }
    const head = [
        ["Người", ""],
        ["Máy", ""],
        ["Gặp lần cuối", ""],
        ["Chờ gửi", "Số việc còn trên máy, theo lời máy ở lần gặp cuối"],
        ["Từ chối", "Số việc máy chủ đã từ chối, kèm lý do trên máy"],
        ["Chờ xem", "Số việc chờ cán bộ xem ở bảng parked_edits"],
        ["Thiếu", "Số việc đã nhận mà máy chủ không còn câu trả lời, như sau khi khôi phục bản sao lưu"],
        ["Lên / xuống", "Dữ liệu máy gửi và nhận trong ngày gặp cuối"],
        ["", ""],
    ];
    return [
        t.table(
            { className: "table" },
            t.thead(null, t.tr(null, head.map(([label, why], i) => t.th({ title: why, className: i > 2 && i < 8 ? "commune-number" : "" }, label)))),
            t.tbody(null, data.items.map((p) => row(p, data.now, actions))),
        ),
        data.items.length >= data.most ? t.p({ className: "txt-hint txt-center" }, `Chỉ hiện ${number(data.most)} máy đầu; hãy tìm để thấy máy khác.`) : null,
    ];
}

function row(p, now, { block, check }) {
    const seen = p.seen ? moment(p.seen) : null;
    return t.tr(
        { className: p.blocked ? "commune-blocked" : "" },
        t.td({ className: "commune-name" }, p.person || t.span({ className: "txt-hint" }, "không còn trong sổ"), warnings(p, seen, now).map((w) => t.div({ className: "commune-warning" }, w))),
        t.td(null, t.div(null, p.label), t.small({ className: "txt-hint" }, p.app || "chưa rõ phiên bản")),
        t.td(
            { title: seen ? clock(seen) : "" },
            t.span({ className: !seen || now - seen > silent ? "commune-late" : "" }, seen ? ago(seen, now) : "chưa lần nào"),
            p.lag > 0 ? t.small({ className: "commune-lag txt-hint" }, `chậm ${p.lag >= mostLag ? "hơn " : ""}${number(p.lag)} mục`) : null,
        ),
        figure(p.waiting),
        figure(p.refused),
        figure(p.parked, true),
        figure(p.missing, true),
        t.td({ className: "commune-number", title: p.day ? `ngày ${p.day}` : "" }, p.up || p.down ? `${bytes(p.up)} / ${bytes(p.down)}` : "–"),
        t.td(
            { className: "commune-actions" },
            p.blocked ? t.span({ className: "label danger" }, "Đang chặn") : null,
            p.blocked ? null : t.button(
                { type: "button", className: "btn sm transparent secondary commune-check", title: "Nhờ máy so từng mục đang giữ với máy chủ", onclick: () => check(p) },
                t.span({ className: "txt" }, p.check === "asked" ? "Đã nhờ kiểm tra" : "Kiểm tra"),
            ),
            t.button(
                { type: "button", className: `btn sm ${p.blocked ? "secondary" : "transparent danger"}`, onclick: () => block(p) },
                t.span({ className: "txt" }, p.blocked ? "Bỏ chặn" : "Chặn"),
            ),
        ),
    );
}

// What is worth a call, in sentences.
function warnings(p, seen, now) {
    const said = [], days = seen ? Math.floor((now - seen) / day) : 0;
    if (p.waiting && seen && now - seen > day) {
        said.push(`Máy «${p.label}» còn giữ ${number(p.waiting)} việc chưa gửi, ${days} ngày chưa đồng bộ.`);
    }
    if (p.missing) said.push(`Thiếu câu trả lời cho ${number(p.missing)} việc; máy sẽ tự gửi lại.`);
    if (Math.abs(p.skew) > 300) said.push(`Đồng hồ máy ${p.skew > 0 ? "nhanh" : "chậm"} ${number(Math.round(Math.abs(p.skew) / 60))} phút.`);
    if (p.repairs) said.push(`Dữ liệu trên máy đã phải sửa ${number(p.repairs)} lần.`);
    return said;
}

function figure(n, warn) {
    return t.td({ className: `commune-number ${n ? (warn ? "warn" : "") : "txt-hint"}` }, n ? number(n) : "–");
}
