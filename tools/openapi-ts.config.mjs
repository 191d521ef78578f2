import { defineConfig } from '@hey-api/openapi-ts';

// tools/sdk.py says which contracts go where: [[contract, folder], …].
const clients = JSON.parse(process.env.CLIENTS);

export default defineConfig(clients.map(([contract, folder]) => ({
  input: contract,
  output: { path: folder, module: { extension: '.js' } },
  plugins: [
    { name: '@hey-api/client-fetch', includeInEntry: true, throwOnError: true },
    '@hey-api/typescript',
    {
      name: '@hey-api/sdk',
      responseStyle: 'data',
      operations: { strategy: 'byTags', methods: 'static', containerName: '{{name}}Service' },
    },
  ],
})));
