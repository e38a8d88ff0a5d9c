// Vietnamese words for numbers and times.

const minute = 60, hour = 60 * minute, day = 24 * hour;

/** How long ago a moment was, as people say it. Moments are Dates. */
export function ago(then, now) {
    const s = Math.max(0, (now - then) / 1000);
    if (s < minute) return "vừa xong";
    if (s < hour) return `${Math.floor(s / minute)} phút trước`;
    if (s < day) return `${Math.floor(s / hour)} giờ trước`;
    if (s < 2 * day) return "hôm qua";
    return `${number(Math.floor(s / day))} ngày trước`;
}

/** 12345 as 12.345. */
export function number(n) {
    return String(n ?? 0).replace(/\B(?=(\d{3})+(?!\d))/g, ".");
}

/** Bytes as people compare them: 812 B, 12,4 kB, 3,1 MB. */
export function bytes(n) {
    if (n < 1000) return `${n} B`;
    const [value, unit] = n < 1e6 ? [n / 1e3, "kB"] : [n / 1e6, "MB"];
    return `${value.toFixed(1).replace(".", ",")} ${unit}`;
}

/** Minutes that are left until a moment, at least one. */
export function minutesLeft(until, now) {
    return Math.max(1, Math.ceil((until - now) / 60000));
}

/** A moment as PocketBase writes it, or RFC 3339. */
export function moment(text) {
    return new Date(text.replace(" ", "T"));
}

/** The whole date and time, on the commune's clock. */
export function clock(then) {
    return then.toLocaleString("vi-VN", { timeZone: "Asia/Ho_Chi_Minh" });
}
