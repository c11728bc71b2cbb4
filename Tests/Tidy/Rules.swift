import Foundation

/// One rule of style: what it finds in a file, one line each, with what to do about it.
struct Rule: Sendable {
    let name: String
    let findings: @Sendable (TextFile) -> [String]

    static let all = [
        shortFiles, shortFunctions, noPrint, noReminders, noForce, noLooseTasks, noMachinePaths, noBinaryMoney,
        noTrailingSpace,
    ]

    static let maxFileLines = 400
    static let maxFunctionLines = 70

    static let shortFiles = Rule(name: "no Swift file over \(maxFileLines) lines") { file in
        let count = file.lines.count - 1
        guard file.isSwift, count > maxFileLines else { return [] }
        return ["\(file.path): \(count) lines: give one of its types a file of its own"]
    }

    /// Trusts the formatter's layout: a function that opens with `{` at the end of a line closes with `}` at the
    /// indentation of its first line.
    static let shortFunctions = Rule(name: "no function body over \(maxFunctionLines) lines") { file in
        guard file.isSwift else { return [] }
        return FunctionBodies(file).filter { $0.count > maxFunctionLines }.map {
            "\(file.path):\($0.line): a body of \($0.count) lines: give its parts functions with names"
        }
    }

    static let noPrint = Rule(name: "only commands print") { file in
        let isAllowed =
            file.path.hasPrefix("ScenarioRunner/App/Commands/")
            || file.path == "ScenarioRunner/App/Lab/Announcement.swift"
        guard file.isSwift, !isAllowed else { return [] }
        return find(#/\b(print|debugPrint)\(/#, in: file.code).map {
            "\(file.path):\($0): use the logger; standard output belongs to the commands"
        }
    }

    static let noReminders = Rule(name: "no reminders in comments") { file in
        // In two parts, or this file would break its own rule.
        let words = ["TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK"]
        return file.comments.filter { comment in
            comment.text.split { !$0.isLetter }.contains { words.contains(String($0)) }
        }.map { "\(file.path):\($0.number): do it now, or open an issue and leave the comment away" }
    }

    static let noForce = Rule(name: "nothing is forced") { file in
        guard file.isSwift else { return [] }
        return find(#/\b(try|as)!/#, in: file.code).map {
            "\(file.path):\($0): handle the failure; in tests use try #require"
        }
    }

    /// Tests may: some are about cancelling one.
    static let noLooseTasks = Rule(name: "no task without a parent") { file in
        let homes = [
            "Shared/Concurrency/Uncancelled.swift",
            // One question that many may wait for, so that it is nobody's own.
            "ScenarioRunner/Cluster/Access/Credentials.swift",
        ]
        guard file.isSwift, !file.path.hasPrefix("Tests/"), !homes.contains(file.path) else { return [] }
        let task = #/\bTask(\.(init|detached|immediate\w*))?(<[^>]*>)? *[({]/#
        return find(task.wordBoundaryKind(.simple), in: file.code).map {
            "\(file.path):\($0): use a task group, or `uncancelled` for what must end although its caller is cancelled"
        }
    }

    /// The folders of one person's machine. Those of the operating system (`/proc`, `/usr/bin`, ...) are the same
    /// everywhere.
    static let noMachinePaths = Rule(name: "no paths of one machine") { file in
        find(#/(^|[^\w.}])/(home|Users|root|work|tmp)/\w/#, in: file.lines.enumerated().map { ($0 + 1, $1) }).map {
            "\(file.path):\($0): take the folder from #filePath, a setting or FileManager.temporaryDirectory"
        }
    }

    /// Money is never a binary floating-point number. Two nets, neither of which follows a value through a name that
    /// does not say what it is: none at all in the files of which money is the subject, and elsewhere none on a line that
    /// names an amount, be it a type or a sum with a fraction. Tests may: some break the rule on purpose.
    static let noBinaryMoney = Rule(name: "money is no Double") { file in
        guard file.isSwift, !file.path.hasPrefix("Tests/") else { return [] }
        let isMoney = file.path.contains(#/(^|/)(Money|Currency|Ledger|Refund|Audit|GatewayCharge)\w*\.swift$/#)
        let lines = isMoney ? file.code : file.code.filter { $0.text.contains(amount) }
        let binary = #/\b(Double|Float\d*|CGFloat|doubleValue|floatValue)\b|[-+*\/] *\d+\.\d|\d\.\d+ *[-+*\/]/#
        // By Unicode's rules, a point between letters joins two names to one word.
        return find(binary.wordBoundaryKind(.simple), in: lines).map {
            "\(file.path):\($0): keep amounts in Money, which counts minor units in an Int64"
        }
    }

    static let noTrailingSpace = Rule(name: "no white space at the end of a line") { file in
        find(#/[ \t\r]$/#, in: file.lines.enumerated().map { ($0 + 1, $1) }).map {
            "\(file.path):\($0): white space at the end: make format, or your editor's setting"
        }
    }

    private static var amount: Regex<(Substring, Substring)> {
        #/(amount|price|money|minor|refund|charge|balance|fee)/#.ignoresCase()
    }

    private static func find<Output>(_ pattern: Regex<Output>, in lines: [(number: Int, text: Substring)]) -> [Int] {
        lines.filter { $0.text.contains(pattern) }.map(\.number)
    }
}

/// The functions and initialisers of a file, each with the length of its body.
private struct FunctionBodies: Sequence {
    private let lines: [Substring]

    init(_ file: TextFile) { lines = file.lines }

    func makeIterator() -> AnyIterator<(line: Int, count: Int)> {
        var index = 0
        return AnyIterator {
            while index < lines.count {
                defer { index += 1 }
                if isFunction(lines[index]), let count = bodyLength(from: index) { return (index + 1, count) }
            }
            return nil
        }
    }

    private func isFunction(_ line: Substring) -> Bool {
        // Most lines are none, and a plain search is quick.
        (line.contains("func ") || line.contains("init"))
            && line.contains(#/^ *([@\w]+(\([^)]*\))? )*(func |init[(<?]|deinit )/#)
    }

    /// The lines between the braces; nil for what has no body or has it on one line.
    private func bodyLength(from start: Int) -> Int? {
        let indentation = self.indentation(of: lines[start])
        guard let open = lines[start...].firstIndex(where: { $0.hasSuffix("{") || $0.hasSuffix("}") || $0.isEmpty }),
            lines[open].hasSuffix("{"),
            let close = lines[(open + 1)...].firstIndex(where: {
                $0.hasPrefix(String(repeating: " ", count: indentation) + "}")
            })
        else { return nil }
        return close - open - 1
    }

    private func indentation(of line: Substring) -> Int { line.prefix { $0 == " " }.count }
}
