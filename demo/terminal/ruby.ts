import * as Wasmex from "wasmex";
import { exitCodeOf, wasiOptions } from "./execute.js";
import type { Job } from "./streams.js";

/**
 * Ruby's own build is no command but a library: it is set up and handed source text. Its bridge to JavaScript stays shut, so
 * whatever it imports for that answers nothing.
 */
function stubs(module: Wasmex.Module): Record<string, Record<string, Wasmex.ImportValue>> {
  const imports: Record<string, Record<string, Wasmex.ImportValue>> = {};
  for (const { module: namespace, name, type } of module.importEntries) {
    if (type.kind !== "function" || namespace === "wasi_snapshot_preview1") continue;
    imports[namespace] ??= {};
    imports[namespace][name] = Wasmex.fn(
      type.parameters,
      type.results,
      () => (type.results.length === 0 ? undefined : 0) as never,
    );
  }
  return imports;
}

/** JSON is Ruby's notation of a string, but for the interpolation. */
const literal = (text: string): string => JSON.stringify(text).replaceAll("#", "\\#");

const REPL = `
puts "Ruby #{RUBY_VERSION}, #{RUBY_PLATFORM}. Ctrl-D or exit leaves."
__binding = TOPLEVEL_BINDING.dup
__code = +""
loop do
  $stdout.print(__code.empty? ? "ruby> " : " ...> ")
  __line = $stdin.gets
  if __line.nil?
    puts
    break
  end
  __code << __line
  next __code.clear if __code.strip.empty?
  begin
    RubyVM::InstructionSequence.compile(__code)
  rescue SyntaxError => e
    next if e.message.match?(/end-of-input|unterminated|to close the/) && !__line.strip.empty?
  end
  begin
    puts "\\e[36m=> #{__binding.eval(__code, "(ruby)").inspect}\\e[0m"
  rescue SystemExit
    raise
  rescue Exception => e
    puts "\\e[31m#{e.message} (#{e.class})\\e[0m"
  end
  __code = +""
end`;

function program(args: readonly string[]): { source: string; rest: readonly string[]; name: string } {
  const [first, second] = args;
  if (first === undefined) return { source: REPL, rest: [], name: "ruby" };
  if (first === "-v" || first === "--version")
    return { source: "puts RUBY_DESCRIPTION", rest: [], name: "ruby" };
  if (first === "-h" || first === "--help") {
    return {
      source: 'puts "usage: ruby [-e code | -v | file] [arguments]   without any: a prompt"',
      rest: [],
      name: "ruby",
    };
  }
  if (first === "-e")
    return {
      source: `eval(${literal(second ?? "")}, TOPLEVEL_BINDING, "-e")`,
      rest: args.slice(2),
      name: "-e",
    };
  if (first === "-")
    return { source: 'eval($stdin.read, TOPLEVEL_BINDING, "-")', rest: args.slice(1), name: "-" };
  return { source: `load File.expand_path(${literal(first)})`, rest: args.slice(1), name: first };
}

function bootstrap(job: Job): string {
  const { source, rest, name } = program(job.args);
  return `
$stdout.sync = $stderr.sync = true
$0 = ${literal(name)}
ARGV.replace([${rest.map(literal).join(", ")}])
__status = 0
begin
Dir.chdir(${literal(job.directory)})
${source}
rescue SystemExit => e
  __status = e.status
rescue Exception => e
  $stderr.puts e.full_message(highlight: false, order: :top)
  __status = 1
end
$stdout.flush
exit!(__status)`;
}

/** Runs Ruby as a command: a prompt without arguments, else a file or `-e`. */
export async function runRuby(module: Wasmex.Module, job: Job, stdin: Wasmex.Pipe): Promise<number> {
  let process: Wasmex.Process | undefined;
  const interrupt = (): void => void process?.stop();
  job.signal.addEventListener("abort", interrupt);
  try {
    return await exitCodeOf(
      (async () => {
        process = await Wasmex.start({
          module,
          name: "ruby",
          imports: stubs(module),
          wasi: wasiOptions(job, stdin),
        });
        if (job.signal.aborted) return;
        await evaluate(process, module, bootstrap(job));
      })(),
      job,
    );
  } finally {
    job.signal.removeEventListener("abort", interrupt);
    await process?.stop();
  }
}

async function evaluate(process: Wasmex.Process, module: Wasmex.Module, source: string): Promise<void> {
  const call = async (name: string, ...params: number[]): Promise<number> => {
    // The exports carry their whole signature as their name: "ruby-init: func(args: list<string>) -> ()".
    const full =
      Object.keys(module.exports).find((one) => one === name || one.startsWith(`${name}:`)) ?? name;
    const [result = 0] = await process.callFunction(full, params, Number.POSITIVE_INFINITY);
    return Number(result);
  };
  const encoder = new TextEncoder();
  const pass = async (text: string): Promise<[number, number]> => {
    const bytes = encoder.encode(text);
    const pointer = await call("cabi_realloc", 0, 0, 1, bytes.length);
    process.memory("uint8").writeBinary(pointer, bytes);
    return [pointer, bytes.length];
  };
  const options: [number, number][] = [];
  for (const option of ["ruby.wasm", "-EUTF-8", "-e_=0"]) options.push(await pass(`${option}\0`));
  const list = await call("cabi_realloc", 0, 0, 4, options.length * 8);
  const words = process.memory("uint32", list / 4);
  options.flat().forEach((word, index) => {
    words.set(index, word);
  });
  await call("ruby-init", list, options.length);
  const answer = await call("rb-eval-string-protect", ...(await pass(source)));
  // The text ends with an exit, and then nothing is answered. Else the tuple's second word is Ruby's own word for what went wrong.
  if (answer === 0) return;
  throw new Error(`Ruby could not run it (state ${process.memory("int32", answer / 4).get(1)})`);
}
