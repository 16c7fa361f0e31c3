import wabt from "wabt";

// The package by itself sets a global only where no module loader is about.
(globalThis as { WabtModule?: typeof wabt }).WabtModule = wabt;
