// Of paths. Nothing is imported here, so that esbuild puts the values where they are used.

/** In bytes, as Linux has them. */
export const PATH_MAX = 4096;
export const NAME_MAX = 255;
/** As many links may lie on one path. */
export const LINKS_MAX = 40;

export const SLASH = 47;
export const DOT = 46;

/** A link as the last component is never followed. */
export const FOLLOW_NEVER = 0;
/** It is followed where a slash comes after it. */
export const FOLLOW_SLASH = 1;
export const FOLLOW_ALWAYS = 2;
