import type { BindingDiagnosticCode } from '../native/binding/index.cjs';

/**
 * Stable identifiers of warnings and notes. New codes may be added; no code is ever removed.
 *
 * - `addresses-of-other-events`: addresses were sampled by events that count neither time nor instructions
 * - `binaries-alike`: two of the binaries are the same file, or builds with the same name
 * - `binaries-not-found`: files that the recording maps were looked for and not found
 * - `binary-doubtful`: the recording may have been made with another build of the binary
 * - `binary-duplicate`: a binary was named more than once
 * - `binary-mismatch`: the recording was made with another build of the binary
 * - `binary-without-profile`: one of several binaries has no profile
 * - `branches-sampled`: branches were sampled one by one (Arm SPE)
 * - `build-ids-missing`: the recordings do not tell the build ids of files, so names decide
 * - `call-chains-incomplete`: call chains lack the part that the kernel writes apart from the samples
 * - `call-chains-unused`: the recording has call chains, which are not used
 * - `call-stack-detail`: one call stack that was left out
 * - `call-stacks-cut`: call stacks end before the outermost function
 * - `call-stacks`: call stacks were left out, or may lack a frame
 * - `checksum-mismatch`: counts were left out because their checksum is of another version of the function
 * - `compression-ignored`: the encoding cannot be compressed
 * - `contexts-absent`: calling contexts were asked for, and the input has none
 * - `counter-overflow`: counts reached the largest value that a counter can hold
 * - `crosses-barrier`: straight-line ranges that would pass a call, return or jump were left out
 * - `crosses-function`: straight-line ranges go on past the end of a function
 * - `debug-file`: where the debug information was found
 * - `debug-info-damaged`: samples lie in debug information that cannot be read
 * - `debug-info`: debug information is missing or cannot be read
 * - `debuginfod`: files were requested from a debuginfod server
 * - `density-low`: the profile has few samples for its size
 * - `density-zero`: no sample is in the hot part
 * - `duplicate-starts-detail`: one address at which several symbols start
 * - `duplicate-starts`: several symbols start at one address
 * - `empty-profile`: the result has no functions
 * - `event-left-out`: samples of an event cannot be used
 * - `event-missing`: a text does not name the event of a sample
 * - `event-unexpected`: a text names another event than the one that was asked for
 * - `event-unknown`: samples belong to no event of the recording
 * - `few-addresses`: few addresses were sampled for so many functions
 * - `flow-not-found`: functions are too large for their counts to be inferred
 * - `flow-sensitive-mark-lost`: the result cannot say that discriminators are flow-sensitive
 * - `folder-unreadable`: a folder to look for binaries in cannot be read
 * - `found-without-profile`: binaries that were found have no profile
 * - `guest-samples`: samples were taken in guests of a hypervisor
 * - `inferred-counts`: counts are inferred from sampled addresses
 * - `input-damaged`: an input ends early or is damaged
 * - `input-repeated`: an input was given more than once
 * - `input-skipped`: an input was left out
 * - `instructions-unknown`: executed code has bytes that are no known instruction
 * - `invalid-instructions-detail`: one place with code that cannot be decoded
 * - `invalid-instructions`: code that cannot be decoded was left out
 * - `kcore-unused`: the kernel memory in the recording does not have the binary's code
 * - `line-invalid`: a line of a text cannot be read
 * - `line-too-long`: a line of a text is longer than the limit
 * - `lines-invalid`: lines of a text were passed over
 * - `mapping-invalid`: a mapping in a text cannot be read
 * - `md5-ignored`: the encoding has no hashed names
 * - `mmap-event`: a mapping in the recording
 * - `module-layout`: the layout of a kernel module's sections in memory is not certain
 * - `name-conflict`: a symbol has another name than the function whose code it marks
 * - `name-not-for-text`: a name would be read as something else in the text form
 * - `names-differ`: some inputs have hashed names and others do not
 * - `names-hashed`: the input has only hashes of the names that were asked for
 * - `names-unknown`: pseudo probes name functions that are not described
 * - `no-function-entry-detail`: one function without an entry in the symbol table
 * - `no-function-entry`: functions have no entry in the symbol table
 * - `no-function`: straight-line ranges start in no function of the debug information
 * - `no-functions`: the debug information has no functions
 * - `no-samples`: a binary has no samples
 * - `no-sections`: the encoding has no sections
 * - `not-mapped`: a text has no mapping of the binary
 * - `off-boundary`: ranges do not start or end at instructions
 * - `other-build`: the recording maps another build of the binary
 * - `partial-input`: an input was marked as partial
 * - `partial-mark-lost`: the result cannot say that it is partial
 * - `patch-sites`: a table of the kernel's patch sites cannot be read
 * - `pre-inlined-mark-lost`: the result cannot say that the pre-inliner chose what to inline
 * - `probes-ambiguous`: object files have different pseudo probes for one function
 * - `probes-unnamed`: pseudo probes of functions without a name were left out
 * - `probes-unplaced`: pseudo probes could not be placed
 * - `range-conflict`: ranges contradict each other
 * - `range-detail`: one doubtful straight-line range
 * - `records-malformed`: records of a recording are malformed
 * - `records-unknown`: records have unknown types
 * - `recovered-function`: straight-line ranges start in code outside of its function's range in the debug information
 * - `run-ends-unsure`: straight-line ranges of traces may end at a higher address than was counted
 * - `samples-filtered`: an event samples only some kinds of operations
 * - `samples-late`: samples of a stream came so late that the mappings of their time were forgotten
 * - `split-units-missing`: split debug information is missing
 * - `symbol-file`: a file of symbols cannot be used
 * - `symbol-list-lost`: the encoding has no list of symbols
 * - `text-without-mappings`: a text has no mappings at all
 * - `total-overflow`: a total reached the largest value that a counter can hold
 * - `trace-damaged`: part of a trace is damaged or missing
 * - `trace-truncated`: the CPU had no room for part of a trace, or gave up samples
 * - `transactions-left-out`: branches inside of transactions were not recorded
 */
export type DiagnosticCode = BindingDiagnosticCode | 'debuginfod';
