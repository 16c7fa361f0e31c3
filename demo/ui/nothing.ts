/** Stands for the Node modules that the text parser's loader names and that a page never reaches. */
export {};
