// Package compile turns a plan and the world into a program.
//
// [Observe] does all the reading; [Compile] is a pure function of values: no
// context, no clock, no client. A [Program] is data: it can be shown, hashed,
// saved, compared and run, so the dry run and the run cannot disagree.
//
//	Observe: identities first (the wrong account ends it there), then buckets,
//	         principal, policies, keys, instances; then the count of objects
//	Compile: 1 what is owned and left over     → clean-up steps
//	         2 what there is to copy           → copy and verify per pair
//	         3 what these need                 → bucket, permission, credential, probe steps
//	         4 what holds already              → steps that do nothing, shown as such
//
// What is ours: what state has recorded, and what carries our tags; the digests of
// our statements stand in the tags of our policies. What is not ours is left alone, or a problem.
//
// A program grows with the pairs: steps are a few per pair, edges a few per step.
// Every program is sound (TestEveryProgramIsSound), and after applying one the plan
// compiles to no change.
//
// What is not guaranteed: that the world stays as it was observed. Every runner
// reads again before it writes.
package compile
