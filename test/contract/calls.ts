/** A call that changes a subject: the one that needs no body. */
export const reset = { method: 'POST' as const, url: '/v1/subjects/etcd/reset' };
