//go:build !js

package phone

import _ "modernc.org/sqlite" // the driver "sqlite"
