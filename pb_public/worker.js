// @ts-check
// The phone's worker in browsers that let workers be modules: it keeps the app
// (sw.js) and hears wake-ups (push/worker.js). Others run sw.js alone, and learn
// of notices when the app is opened.

import './sw.js';
import './push/worker.js';
