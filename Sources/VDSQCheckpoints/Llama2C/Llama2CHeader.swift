/// The sizes at the start of a file of llama2.c.
package struct Llama2CHeader: Sendable {
  /// `export.py`'s version: 0 without a magic number, 1 float32, 2 int8 in groups.
  package internal(set) var version = 0
  /// Numbers in a token's state; llama2.c's `dim`.
  package internal(set) var dim = 0
  /// Numbers in a state within the feed-forward network; `hidden_dim`.
  package internal(set) var hidden = 0
  /// Layers; `n_layers`.
  package internal(set) var layers = 0
  /// Heads of queries; `n_heads`.
  package internal(set) var heads = 0
  /// Heads of keys and values; `n_kv_heads`.
  package internal(set) var keyValueHeads = 0
  /// Tokens of the vocabulary; `vocab_size`.
  package internal(set) var vocabulary = 0
  /// Tokens of the longest sequence; `seq_len`.
  package internal(set) var positions = 0
  /// Whether the classifier and the embeddings are one table.
  package internal(set) var isShared = true
  /// Columns of a group of int8 weights; 0 in other versions.
  package internal(set) var group = 0

  /// Numbers in a head.
  package var headSize: Int { dim / heads }
}
