/// A script that completes the options of `vdsq-run` and names of files.
enum CompletionScript {
  case bash, zsh, fish

  /// Returns nil for an unknown shell.
  init?(shell: String) {
    switch shell {
    case "bash": self = .bash
    case "zsh": self = .zsh
    case "fish": self = .fish
    default: return nil
    }
  }

  /// - Parameter options: the names of all options.
  func text(options: [String]) -> String {
    var names = ""
    for option in options {
      if !names.utf8.isEmpty { names += " " }
      names += option
    }
    switch self {
    case .bash:
      return """
        _vdsq_run() {
          local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]} words=""
          case $previous in
          --memory-policy) words="resident release stream" ;;
          --generate-completion-script) words="bash zsh fish" ;;
          *) case $current in -*) words="\(names)" ;; esac ;;
          esac
          if [ -n "$words" ]; then
            COMPREPLY=($(compgen -W "$words" -- "$current"))
          else
            COMPREPLY=($(compgen -f -- "$current"))
          fi
        }
        complete -o filenames -F _vdsq_run vdsq-run

        """
    case .zsh:
      return """
        #compdef vdsq-run
        _vdsq_run() {
          case $words[CURRENT-1] in
          --memory-policy) compadd -- resident release stream ;;
          --generate-completion-script) compadd -- bash zsh fish ;;
          *) if [[ $words[CURRENT] == -* ]]; then compadd -- \(names); else _files; fi ;;
          esac
        }
        compdef _vdsq_run vdsq-run

        """
    case .fish:
      var text = ""
      for option in options {
        text += "complete -c vdsq-run -l \(String(Substring(option.utf8.dropFirst(2))))"
        switch option {
        case "--memory-policy": text += " -x -a 'resident release stream'"
        case "--generate-completion-script": text += " -x -a 'bash zsh fish'"
        default: break
        }
        text += "\n"
      }
      return text
    }
  }
}
