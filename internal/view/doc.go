// Package view renders what the other packages decide and report: the review of a
// program, its graph, a run's progress, its end, its status from another terminal, and
// its report as a page. Views take an io.Writer and values; they decide nothing, read
// nothing, and are the same byte for byte for the same values.
//
// Signs carry the meaning (+ ~ - = > ! ?); colour only repeats it. A key is quoted
// where it holds anything that a terminal would act on.
package view
