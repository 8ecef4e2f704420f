#!/usr/bin/env python3
"""Makes a man page of a program's own description: of `--experimental-dump-help` (swift-argument-parser), or of
`--help` for vdsq-run. Tools/packaging/manpage.py PROGRAM > PROGRAM.1"""
import json
import pathlib
import subprocess
import sys


def escaped(text):
    lines = text.replace("\\", "\\e").replace("-", "\\-").split("\n")
    return "\n".join("\\&" + line if line[:1] in (".", "'") else line for line in lines)


def paragraphs(text):
    return "\n.PP\n".join(escaped(part.strip()) for part in text.split("\n\n") if part.strip())


def names(argument):
    spelled = []
    for name in argument.get("names") or []:
        dashes = "-" if name["kind"] == "short" else "--"
        spelled.append(f"\\fB{escaped(dashes + name['name'])}\\fR")
    value = escaped(argument.get("valueName") or "value")
    if argument["kind"] == "positional":
        return f"\\fI{value}\\fR"
    return ", ".join(spelled) + (f" \\fI{value}\\fR" if argument["kind"] == "option" else "")


def options(command):
    for argument in command.get("arguments") or []:
        if not argument.get("shouldDisplay", True):
            continue
        text = argument.get("abstract") or ""
        if argument.get("defaultValue"):
            text += f" (default: {argument['defaultValue']})"
        yield f".TP\n{names(argument)}\n{escaped(text)}"


def page(program, version):
    dumped = subprocess.run([program, "--experimental-dump-help"], capture_output=True, text=True)
    name = pathlib.Path(program).name
    head = f'.TH {name.upper()} 1 "" "vdsq {version}" "User Commands"\n.SH NAME\n'
    if dumped.returncode != 0:
        text = subprocess.run([program, "--help"], capture_output=True, text=True, check=True).stdout
        return (head + f"{escaped(name)} \\- classifies lines of text, as the smallest program\n.SH DESCRIPTION\n.nf\n"
                + escaped(text.rstrip()) + "\n.fi\n")
    command = json.loads(dumped.stdout)["command"]
    out = head + f"{name} \\- {escaped(command['abstract'][0].lower() + command['abstract'][1:].rstrip('.'))}\n.SH SYNOPSIS\n.B {name}\n"
    subcommands = [one for one in command.get("subcommands") or [] if one["commandName"] != "help"]
    out += "\\fIcommand\\fR [\\fIoptions\\fR]\n" if subcommands else "[\\fIoptions\\fR] \\fIargument\\fR...\n"
    out += ".SH DESCRIPTION\n" + paragraphs(command.get("discussion") or command["abstract"]) + "\n"
    if not subcommands:
        out += ".SH OPTIONS\n" + "\n".join(options(command)) + "\n"
    for one in subcommands:
        out += f".SH {escaped(name.upper() + ' ' + one['commandName'].upper())}\n"
        out += paragraphs((one.get("abstract") or "") + "\n\n" + (one.get("discussion") or "")) + "\n"
        out += "\n".join(options(one)) + "\n"
    return out + f".SH SEE ALSO\n/usr/share/doc/{name}\n"


if __name__ == "__main__":
    sys.stdout.write(page(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else ""))
