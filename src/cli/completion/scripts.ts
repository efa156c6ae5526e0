/**
 * Completion scripts for shells. All that they know is how to ask `foretoken complete -- WORDS...`, which prints a
 * candidate in each line (`value`, a tab, what it is), and `:files` or `:folders` where the shell is to add those.
 */

import { shellWord } from "../../formats/shell.ts";

/** What a script is made of. */
export interface Completing {
  /** The program and its arguments, up to `complete`. */
  readonly program: readonly string[];
  /** The checkout's folder and its tasks that are commands, where `deno task` is to be completed too. */
  readonly checkout?: { readonly folder: string; readonly tasks: readonly string[] };
}

export const SHELLS = ["bash", "zsh", "fish"] as const;

/** The script of one shell. */
export function completionScript(shell: typeof SHELLS[number], { program, checkout }: Completing): string {
  const ask = [...program, "complete", "--"].map(shellWord).join(" ");
  const folder = shellWord(checkout?.folder ?? "/");
  const tasks = checkout?.tasks ?? [];
  return { bash, zsh, fish }[shell](ask, folder, tasks);
}

type Script = (ask: string, folder: string, tasks: readonly string[]) => string;

const bash: Script = (ask, folder, tasks) =>
  `# Completion of foretoken for bash: source <(deno task -q foretoken completion bash)

# The words up to the cursor, whole: bash cuts them at = and :
_foretoken_words() {
  local rest=\${COMP_LINE:0:COMP_POINT} before word i
  foretoken_words=()
  for ((i = 0; i <= COMP_CWORD; i++)); do
    before=$rest
    rest=\${rest#"\${rest%%[![:space:]]*}"}
    word=\${COMP_WORDS[i]}
    ((i == COMP_CWORD)) && word=$rest
    if ((i > 0)) && [[ $before == "$rest" ]]; then foretoken_words[-1]+=$word; else foretoken_words+=("$word"); fi
    rest=\${rest#"$word"}
    foretoken_tail=$word
  done
}

# Answers for the words after the program's name.
_foretoken_answer() {
  local current=\${!#} line value cut file
  [[ $foretoken_tail == [=:] ]] && foretoken_tail=
  cut=\${current%"$foretoken_tail"}
  COMPREPLY=()
  while IFS= read -r line; do
    value=\${line%%$'\\t'*}
    case $value in
    :files | :folders)
      compopt -o filenames
      [[ $value == :files ]] && file=-f || file=-d
      while IFS= read -r value; do COMPREPLY+=("$value"); done < <(compgen "$file" -- "$current")
      ;;
    *)
      [[ $value == *[/.=] ]] && compopt -o nospace
      [[ $current != [\\'\\"]* && $value == *' '* ]] && printf -v value %q "$value"
      COMPREPLY+=("\${value#"$cut"}")
      ;;
    esac
  done < <("\${foretoken_in[@]}" "$@" 2>/dev/null)
}

_foretoken_ask() { ${ask} "$@"; }
_foretoken_ask_there() { (cd ${folder} && ${ask} "$@"); }

_foretoken() {
  local -a foretoken_words foretoken_in=(_foretoken_ask)
  local foretoken_tail
  _foretoken_words
  _foretoken_answer "\${foretoken_words[@]:1}"
}
complete -F _foretoken foretoken
${tasks.length === 0 ? "" : bashOfDeno(folder, tasks)}`;

const bashOfDeno = (folder: string, tasks: readonly string[]): string => `
# deno task foretoken ..., deno task train ...: within the checkout; anything else of deno's as before.
_foretoken_deno_before=$(complete -p deno 2>/dev/null | sed -n 's/.* -F \\([^ ]*\\) .*/\\1/p')
[[ $_foretoken_deno_before == _foretoken_deno ]] && _foretoken_deno_before=
_foretoken_deno() {
  local -a foretoken_words foretoken_in=(_foretoken_ask_there)
  local foretoken_tail at=2
  _foretoken_words
  while [[ \${foretoken_words[at]} == -* ]]; do ((at++)); done
  if [[ \${foretoken_words[1]} == task && $PWD/ == ${folder}/* ]] && ((at < \${#foretoken_words[@]} - 1)); then
    case \${foretoken_words[at]} in
    foretoken) _foretoken_answer "\${foretoken_words[@]:at+1}" && return ;;
    ${tasks.join(" | ")}) _foretoken_answer "\${foretoken_words[@]:at}" && return ;;
    esac
  fi
  [[ -n $_foretoken_deno_before ]] && "$_foretoken_deno_before" "$@"
}
complete -o bashdefault -o default -F _foretoken_deno deno
`;

const zsh: Script = (ask, folder, tasks) =>
  `#compdef foretoken
# Completion of foretoken for zsh: source <(deno task -q foretoken completion zsh), after compinit

# Answers for the words after the program's name; the first argument is the command that is asked.
_foretoken_answer() {
  local line value
  local -a whole begun
  for line in "\${(@f)$($@ 2>/dev/null)}"; do
    value=\${\${line%%$'\\t'*}//:/\\\\:}
    case $line in
    '') ;;
    :files) _files ;;
    :folders) _files -/ ;;
    *) [[ $value == *[/.=] ]] && begun+=("$value:\${line#*$'\\t'}") || whole+=("$value:\${line#*$'\\t'}") ;;
    esac
  done
  ((\${#whole})) && _describe -t values foretoken whole
  ((\${#begun})) && _describe -t beginnings foretoken begun -S ''
  return 0
}

_foretoken_ask() { ${ask} "$@" }
_foretoken_ask_there() { (cd ${folder} && ${ask} "$@") }

_foretoken() {
  _foretoken_answer _foretoken_ask "\${(@Q)words[2,CURRENT-1]}" "$PREFIX"
}
compdef _foretoken foretoken
${tasks.length === 0 ? "" : zshOfDeno(folder, tasks)}`;

const zshOfDeno = (folder: string, tasks: readonly string[]): string => `
# deno task foretoken ..., deno task train ...: within the checkout; anything else of deno's as before.
_foretoken_deno() {
  local at=3
  while [[ $words[at] == -* ]]; do ((at++)); done
  if [[ $words[2] == task && $PWD/ == ${folder}/* ]] && ((at < CURRENT)); then
    case $words[at] in
    foretoken) _foretoken_answer _foretoken_ask_there "\${(@Q)words[at+1,CURRENT-1]}" "$PREFIX"; return ;;
    ${
  tasks.join(" | ")
}) _foretoken_answer _foretoken_ask_there "\${(@Q)words[at,CURRENT-1]}" "$PREFIX"; return ;;
    esac
  fi
  (($+functions[_deno])) && _deno "$@" || _default "$@"
}
compdef _foretoken_deno deno
`;

const fish: Script = (ask, folder, tasks) =>
  `# Completion of foretoken for fish: deno task -q foretoken completion fish | source

function __foretoken_answer
    for line in $argv
        switch $line
            case :files
                __fish_complete_path (commandline -ct)
            case :folders
                __fish_complete_directories (commandline -ct)
            case '*'
                echo $line
        end
    end
end

function __foretoken
    set -l words (commandline -opc)
    __foretoken_answer (${ask} $words[2..-1] (commandline -ct) 2>/dev/null)
end
complete -c foretoken -e
complete -c foretoken -f -a '(__foretoken)'
${tasks.length === 0 ? "" : fishOfDeno(ask, folder, tasks)}`;

const fishOfDeno = (ask: string, folder: string, tasks: readonly string[]): string => `
# deno task foretoken ..., deno task train ...: within the checkout.
function __foretoken_task
    string match -q -- ${folder}'/*' $PWD/; or return 1
    set -l words (commandline -opc)
    test (count $words) -ge 3; and test $words[2] = task; or return 1
    for i in (seq 3 (count $words))
        switch $words[$i]
            case '-*'
            case foretoken
                set -g __foretoken_words $words[(math $i + 1)..-1]
                test $i -eq (count $words); and set -g __foretoken_words
                return 0
            case ${tasks.join(" ")}
                set -g __foretoken_words $words[$i..-1]
                return 0
            case '*'
                return 1
        end
    end
    return 1
end
function __foretoken_there
    set -l before $PWD
    builtin cd ${folder}
    set -l lines (${ask} $__foretoken_words (commandline -ct) 2>/dev/null)
    builtin cd $before
    __foretoken_answer $lines
end
complete -c deno -n __foretoken_task -f -a '(__foretoken_there)'
`;
