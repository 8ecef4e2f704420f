/// The kernels, written once over the primitives of an instruction set.
///
/// Every function is inlined into the target that builds a `KernelTable` and is compiled with the
/// flags of that instruction set. A shared copy that was compiled for one set must never serve
/// another.
public enum GenericKernels<ISA: VectorISA> {}
