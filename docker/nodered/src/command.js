// A button of the table, as the command that it stands for.
const root = `${env.get("ROOT")}/${env.get("GATEWAY")}`;
const { action, module, job, run, target, url, sha256, from, to, allow_downgrade } = msg.payload;
const bodies = {
  install: () => ({ module }),
  cancel: () => ({ module }),
  retry: () => ({ job, run }),
  update: () => ({
    modules: [module],
    ...(target ? { target } : { artifact: { url, sha256 }, from, to }),
    ...(allow_downgrade ? { allow_downgrade } : {}),
  }),
};
if (!Object.hasOwn(bodies, action)) return null;
return { topic: `${root}/cmd/${action}`, payload: { ...bodies[action](), transaction: `${flow.get("me")}/${module}` } };
