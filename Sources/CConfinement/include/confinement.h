#ifndef SALVOR_CONFINEMENT_H
#define SALVOR_CONFINEMENT_H

// A program that is linked with this and started as `program --confined TOOL ARGUMENT…` becomes TOOL, confined, before
// anything else of it runs. In C and in a constructor, because it comes before each tool that reads a disk: Swift's runtime,
// a thread pool and a main function would cost several times what the tool does, and on a translated rescue VM tenths of
// a second for each machine.
//
// Exit codes of its own, as a shell has them: 71 where it could not be confined, 126 and 127 where the tool could not be run
// or is not there.
extern const char salvor_confined_argument[];

#endif
