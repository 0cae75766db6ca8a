import { type Client, type ClientOptions, type ChannelCredentials, credentials } from "@grpc/grpc-js";

// The methods that are sent again after UNAVAILABLE: reads, and what a request id makes safe to
// repeat. Nothing else: it might be done twice.
const RETRIED = [
  { service: "user.v1.UserService", method: "GetUser" },
  { service: "user.v1.UserService", method: "CreateUser" },
  { service: "user.v1.UserService", method: "ListUsers" },
  { service: "product.v1.ProductService", method: "GetProduct" },
  { service: "product.v1.ProductService", method: "CreateProduct" },
  { service: "order.v1.OrderService", method: "CreateOrder" },
];

type MethodConfig = { name: object[]; timeout?: string };
type ClientClass<C> = new (address: string, credentials: ChannelCredentials, options: ClientOptions) => C;

/**
 * Makes the client of a service from the variables of its client ConfigMap: one for the whole
 * process, it connects again by itself.
 */
export function connect<C extends Client>(client: ClientClass<C>, prefix: string): C {
  const target = process.env[`${prefix}GRPC_TARGET`];
  if (!target) {
    throw new Error(`${prefix}GRPC_TARGET: not set; take it from the ConfigMap NAME-grpc-client`);
  }
  const config = withRetries(process.env[`${prefix}GRPC_SERVICE_CONFIG`]);
  return new client(target, credentials.createInsecure(), {
    "grpc.service_config": config,
    "grpc.service_config_disable_resolution": 1, // none from DNS
  });
}

/**
 * Adds a method config for the retried methods. gRPC takes the most specific method config alone,
 * so what the published one says of all methods is repeated there.
 */
function withRetries(text: string | undefined): string {
  const config = JSON.parse(text || '{"loadBalancingConfig": [{"round_robin": {}}]}') as { methodConfig?: MethodConfig[] };
  const published = config.methodConfig ?? [];
  const timeout = published.find((entry) => entry.timeout)?.timeout;
  const retryPolicy = {
    maxAttempts: 4,
    initialBackoff: "0.1s",
    maxBackoff: "1s",
    backoffMultiplier: 2,
    retryableStatusCodes: ["UNAVAILABLE"],
  };
  return JSON.stringify({
    // No retries while most calls fail, so that they cannot keep a service down.
    retryThrottling: { maxTokens: 100, tokenRatio: 0.1 },
    ...config,
    methodConfig: [...published, { name: RETRIED, retryPolicy, ...(timeout && { timeout }) }],
  });
}
