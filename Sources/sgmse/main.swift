import Commands
import Foundation

// A file-size limit must reach the store as "full", not end the process.
signal(SIGXFSZ, SIG_IGN)
SGMSE.run()
