// Runs @elastic/mockotlpserver on free ports and prints what it received, as lines of JSON: first
// its addresses, then each request for traces, normalised by the package itself. It ends with its
// standard input: whoever started it need not live to stop it.
'use strict';

const {MockOtlpServer, normalizeTrace} = require('@elastic/mockotlpserver');

function say(value) {
    process.stdout.write(JSON.stringify(value) + '\n');
}

async function main() {
    const server = new MockOtlpServer({
        logLevel: 'warn',
        services: ['http', 'grpc'],
        httpHostname: '127.0.0.1',
        httpPort: 0,
        grpcHostname: '127.0.0.1',
        grpcPort: 0,
        onTrace: (trace) => say(normalizeTrace(trace)),
    });
    await server.start();
    say({http: String(server.httpUrl), grpc: String(server.grpcUrl)});
    process.stdin.on('end', () => process.exit(0));
    process.stdin.resume();
}

main();
