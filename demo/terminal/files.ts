/** What lies in the virtual file system when the terminal opens. */
export const START_FILES = {
  "/home": {
    "readme.txt": `This is a virtual file system in your browser's memory.

  yard                 a small game that asks and waits (try: ship, move, save, quit)
  ruby                 a Ruby prompt; also: ruby hello.rb   ruby -e 'puts 6 * 7'
  esbuild app.ts       TypeScript to JavaScript
  cat app.ts | esbuild --loader=ts --minify > app.min.js

Drop any WASI program (.wasm) on the page to run it here. Edit files on the
right while a program runs: both sides see the same bytes.
`,
    "app.ts": `import { greet } from "./greet";

interface Guest {
  readonly name: string;
  readonly threads?: number;
}

const guest: Guest = { name: "WebAssembly", threads: 2 };
console.log(greet(guest.name), guest.threads ?? 1);
`,
    "greet.ts": `export const greet = (name: string): string => \`Hello, \${name}!\`;
`,
    "hello.rb": `# ruby hello.rb [names]
names = ARGV.empty? ? [ENV.fetch("USER", "you")] : ARGV
names.each { |name| puts "Hello, #{name}!" }

File.write("visitors.txt", names.join("\\n") + "\\n", mode: "a")
puts "There were #{File.readlines("visitors.txt").size} visitors so far."
`,
    "ask.rb": `# ruby ask.rb
print "What is your name? "
name = $stdin.gets&.chomp
abort "Nobody there." if name.nil? || name.empty?
puts "Hello, #{name}. The exit code will be #{name.size}."
exit name.size
`,
  },
  "/tmp": {},
} as const;
