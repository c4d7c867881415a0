// SPDX-License-Identifier: MIT
// An HTTP/2 server over TLS for tests: node http2_server.js CERTIFICATE KEY. Prints its port; answers every POST with the
// protocol's version, the number of the connection and the body's length; ends when stdin closes.
const fs = require('fs')
const http2 = require('http2')

let connections = 0
const numbers = new WeakMap()
const server = http2.createSecureServer({ cert: fs.readFileSync(process.argv[2]), key: fs.readFileSync(process.argv[3]), allowHTTP1: true })
server.on('session', session => numbers.set(session, ++connections))
server.on('request', (request, response) => {
  let bytes = 0
  request.on('data', chunk => { bytes += chunk.length })
  request.on('end', () => setTimeout(() => {
    response.setHeader('Content-Type', 'application/json')
    response.end(JSON.stringify({ version: request.httpVersion, connection: numbers.get(request.stream && request.stream.session) || 0, bytes }))
  }, 50))
})
server.listen(0, '127.0.0.1', () => console.log(server.address().port))
process.stdin.on('data', () => {}).on('end', () => process.exit(0))
