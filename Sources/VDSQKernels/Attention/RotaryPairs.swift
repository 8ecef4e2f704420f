import CShims

/// How rotary position embedding pairs the elements of a head.
public enum RotaryPairs: Sendable {
  /// Element i with element i + half (GPT-NeoX, Llama as Hugging Face stores it).
  case halves
  /// Element 2i with element 2i + 1 (GPT-J, Llama as Meta stores it).
  case neighbours
}
