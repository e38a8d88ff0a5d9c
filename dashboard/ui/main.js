// The commune's part of the dashboard. PocketBase runs this file before its own
// pages start, but waits for nothing: what must be there from the first moment
// is done here at once, the rest is fetched when it is needed.
const part = (name) => import(`./extensions/commune/${name}.js`);

document.head.appendChild(t.link({ rel: "stylesheet", href: "./extensions/commune/commune.css" }));

app.store.headerLinks.splice(1, 0, { href: "#/phones", icon: "ri-smartphone-line", label: "Máy điện thoại" });
app.routes.superuserOnly("#/phones", async () => (await part("phones")).pagePhones());

// Personal records are closed to superusers until a reason is given: the server
// answers 403 reason_needed, wherever it was asked from. The answer becomes a
// dialog, and after it the same request is sent again, so that no page of the
// dashboard needs to know.
const send = app.pb.send;
app.pb.send = async function (path, options) {
    try {
        return await send.call(app.pb, path, options);
    } catch (err) {
        const needs = err?.response?.data;
        if (err?.status !== 403 || needs?.code !== "reason_needed") throw err;
        if (!(await (await part("reason")).ask(needs.collection, needs.title))) throw err;
        return send.call(app.pb, path, options);
    }
};

// A backup is fetched by a plain link, whose refusal nobody would see.
const getToken = app.pb.files.getToken;
app.pb.files.getToken = async function () {
    if (location.hash.startsWith("#/settings/backups")) await (await part("reason")).openEverything();
    return getToken.apply(app.pb.files, arguments);
};
