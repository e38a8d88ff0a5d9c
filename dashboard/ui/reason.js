// The dialog that asks a superuser for a reason before personal records open.

const asking = new Map(); // collection → the dialog's promise
let last = Promise.resolve(); // one dialog at a time

/** Asks for everything, unless it is open; throws when the superuser declines. */
export async function openEverything() {
    const { items } = await app.pb.send("/api/dashboard/openings", { requestKey: null });
    if (items.some((o) => o.open && o.collection === "*")) return;
    if (!(await ask("*", "Tất cả mục riêng và bản sao lưu"))) throw new Error("Chưa nêu lý do nên không tải.");
}

/** Asks once for each collection, however many requests wait for it. */
export function ask(collection, title) {
    if (!asking.has(collection)) {
        const answer = last.then(() => dialog(collection, title)).finally(() => asking.delete(collection));
        asking.set(collection, answer);
        last = answer.catch(() => {});
    }
    return asking.get(collection);
}

/** Resolves to true when the collection has been opened. */
function dialog(collection, title) {
    return new Promise((resolve) => {
        const data = store({ reason: "", minutes: 15, sending: false, problem: "" });
        let opened = false;

        async function submit(e) {
            e.preventDefault();
            if (data.sending) return;
            data.sending = true;
            data.problem = "";
            try {
                await app.pb.send("/api/dashboard/openings", {
                    method: "POST",
                    body: { collection, reason: data.reason, minutes: data.minutes },
                    requestKey: null,
                });
                opened = true;
                data.sending = false;
                app.modals.close(modal, true);
                app.toasts.success(`Đã mở «${title}» trong ${data.minutes} phút.`);
            } catch (err) {
                data.sending = false;
                data.problem = err?.response?.message || "Máy chủ không trả lời, xin thử lại.";
            }
        }

        const modal = t.div(
            {
                className: "modal popup commune-reason",
                onbeforeclose: () => !data.sending,
                onafterclose: (el) => {
                    el.remove();
                    resolve(opened);
                },
            },
            t.header({ className: "modal-header" }, t.h5(null, t.i({ className: "ri-lock-2-line", ariaHidden: true }), " ", title)),
            t.div(
                { className: "modal-content" },
                t.form(
                    { id: "commune-reason", className: "block", onsubmit: submit },
                    t.p(
                        { className: "commune-why" },
                        collection === "*"
                            ? "Phần này chứa mọi hồ sơ riêng của cả xã. Chỉ mở khi thật cần; lần mở nào cũng được ghi lại."
                            : "Đây là hồ sơ riêng của từng người. Ai có hồ sơ được xem sẽ thấy trên điện thoại của mình: ai đã xem, lúc nào, vì lý do gì.",
                    ),
                    t.div(
                        { className: "field required" },
                        t.label({ htmlFor: "commune-reason-text" }, "Lý do mở"),
                        t.textarea({
                            id: "commune-reason-text",
                            rows: 3,
                            required: true,
                            minLength: 10,
                            maxLength: 500,
                            "html-autofocus": true,
                            placeholder: "Ví dụ: bà Hoa ở thôn Đoài gọi điện nhờ sửa ngày sinh ghi nhầm",
                            oninput: (e) => (data.reason = e.target.value),
                        }),
                    ),
                    t.div({ className: "field-help commune-help" }, "Viết để chính người ấy đọc và hiểu."),
                    t.fieldset(
                        { className: "commune-minutes" },
                        t.legend(null, "Mở trong"),
                        [5, 15, 30, 60].map((m) =>
                            t.button(
                                {
                                    type: "button",
                                    className: () => `btn sm ${data.minutes === m ? "" : "secondary"}`,
                                    ariaPressed: () => String(data.minutes === m),
                                    onclick: () => (data.minutes = m),
                                },
                                t.span({ className: "txt" }, `${m} phút`),
                            )
                        ),
                    ),
                    t.p({ className: "txt-danger commune-problem", role: "alert", hidden: () => !data.problem }, () => data.problem),
                ),
            ),
            t.footer(
                { className: "modal-footer" },
                t.button(
                    { type: "button", className: "btn transparent m-r-auto", disabled: () => data.sending, onclick: () => app.modals.close(modal) },
                    t.span({ className: "txt" }, "Không mở"),
                ),
                t.button(
                    {
                        type: "submit",
                        "html-form": "commune-reason",
                        className: () => `btn expanded-lg ${data.sending ? "loading" : ""}`,
                        disabled: () => data.sending || data.reason.trim().length < 10,
                    },
                    t.span({ className: "txt" }, () => `Mở trong ${data.minutes} phút`),
                ),
            ),
        );
        document.body.appendChild(modal);
        app.modals.open(modal);
    });
}
