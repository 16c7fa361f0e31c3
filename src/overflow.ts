/** What is to be done when a guest's stack has overflowed, by who may have been cut off in the middle of anything. */
export const afterOverflow: { settle?: () => void } = {};
