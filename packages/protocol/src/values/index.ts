export * from './characters.js'
export * from './references.js'
export * from './typed-parameter.js'
export * from './uuid.js'
