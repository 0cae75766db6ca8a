import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { type CreateUserRequest, SyncStatus, type User as UserMessage, type UserService } from "./gen/user/v1/user_pb.js";
import type { Implementation } from "./handlers.ts";
import { at, invalid } from "./problem.ts";
import type { Repository } from "./repository.ts";
import { changed, checkedId, checkedPageSize, checkedRequestId, checkedRole, checkRequestIds, type Creation, MAX_BATCH_SIZE, newUser, type User } from "./users.ts";

/** user.v1.UserService over a repository. */
export function userService(users: Repository): Implementation<typeof UserService> {
  return {
    async getUser({ id }, { signal }) {
      return { user: message(await users.get(checkedId(id), signal)) };
    },

    async createUser(request, { signal }) {
      const made = await users.create([creation(request)], signal);
      return { user: message(made[0]!) };
    },

    async updateUser({ id, email, name, role }, { signal }) {
      if (role !== undefined) checkedRole(role);
      const made = await users.update(checkedId(id), (user) => changed(user, { email, name, role }), signal);
      return { user: message(made) };
    },

    async deleteUser({ id }, { signal }) {
      await users.delete(checkedId(id), signal);
      return {};
    },

    async *listUsers({ pageSize, pageToken }, { signal, trailer }) {
      const page = await users.list(checkedPageSize(pageSize), pageToken, signal);
      if (page.nextToken) trailer.set("next-page-token", page.nextToken);
      for (const user of page.users) yield message(user);
    },

    async batchCreateUsers(requests, { signal }) {
      const creations: Creation[] = [];
      for await (const request of requests) {
        if (creations.length === MAX_BATCH_SIZE) {
          throw invalid(`the batch has more than ${MAX_BATCH_SIZE} entries; split it`);
        }
        try {
          creations.push(creation(request));
        } catch (error) {
          throw at(creations.length, error);
        }
      }
      checkRequestIds(creations);
      const made = await users.create(creations, signal);
      return { users: made.map(message), createdCount: made.length };
    },

    async *syncUsers(requests, { signal }) {
      let position = 0;
      for await (const { user } of requests) {
        yield await sync(users, user, signal).catch((error) => {
          throw at(position, error);
        });
        position++;
      }
    },
  };
}

async function sync(users: Repository, wanted: UserMessage | undefined, signal: AbortSignal) {
  if (!wanted) throw invalid("user: is missing; send the user to create or update");
  const id = wanted.id && checkedId(wanted.id);
  const [before, after] = await users.upsert(
    id, wanted.email, (known) => (known ? changed(known, wanted) : newUser(wanted, id)), signal,
  );
  const status = !before ? SyncStatus.CREATED : before === after ? SyncStatus.UNCHANGED : SyncStatus.UPDATED;
  return { user: message(after), status };
}

function creation(request: CreateUserRequest): Creation {
  return { requestId: checkedRequestId(request.requestId), user: newUser(request) };
}

function message({ createdAt, updatedAt, ...user }: User) {
  return { ...user, createdAt: timestampFromMs(createdAt), updatedAt: timestampFromMs(updatedAt) };
}
