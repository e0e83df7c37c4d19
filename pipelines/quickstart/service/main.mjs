// Starts the service on PORT and stops it on SIGTERM.
import { createServer } from 'node:http';
import { handle } from './server.mjs';

const server = createServer((request, response) => {
  handle(request, response).catch((error) => {
    response.writeHead(400, { 'content-type': 'application/json' });
    response.end(`${JSON.stringify({ error: error.message })}\n`);
  });
});
server.listen(Number(process.env.PORT), '127.0.0.1', () => console.log(`readings listens on port ${server.address().port}`));
process.on('SIGTERM', () => {
  server.close(() => process.exit(0));
  server.closeAllConnections();
});
