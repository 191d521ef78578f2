import { client } from './client.gen.js';
import type { ProblemBody } from './problem-body.js';

export * from './index.js';

/** An answer that is an error. */
export class ProblemError extends Error {
  override readonly name = 'ProblemError';
  /** The status code of the answer. */
  readonly status: number;
  /** What went wrong, for programs. Undefined where the answer is none of this server's, such as a proxy's. */
  readonly code: string | undefined;
  /** The error as the contract shows it. Undefined where the answer is none of this server's. */
  readonly body: ProblemBody | undefined;
  /** The whole answer, with headers such as `Retry-After`. Its body has been read. */
  readonly response: Response;

  constructor(body: unknown, response: Response) {
    const told = inTheBody(body);
    super(String(told.message ?? told.detail ?? response.statusText));
    this.status = response.status;
    this.code = told.code ?? told.error_code;
    this.body = this.code === undefined ? undefined : (body as ProblemBody);
    this.response = response;
  }
}

/** Contracts tell what went wrong at the top of the body, or below `error` or `detail`. */
function inTheBody(body: unknown): Record<string, any> {
  const { error, detail } = Object(body);
  return Object([error, detail, body].find((one) => typeof one === 'object'));
}

client.interceptors.error.use((error, response: Response | undefined, _request, options) =>
  // Without a response the request failed on its way: this is the error of `fetch`.
  response && options.throwOnError ? new ProblemError(error, response) : error,
);
