/** covirt's own version; a test holds it against the package's. */
export const libraryVersion = '0.1.0'
