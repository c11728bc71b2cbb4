import Testing

/// Every rule can fail, and does not where it should not.
@Suite struct RuleTests {
    private func findings(_ rule: Rule, _ text: String, at path: String = "Services/Payment/A.swift") -> Int {
        rule.findings(TextFile(path: path, text: text)).count
    }

    @Test func longFiles() {
        let line = "let a = 1\n"
        #expect(findings(.shortFiles, String(repeating: line, count: 400)) == 0)
        #expect(findings(.shortFiles, String(repeating: line, count: 401)) == 1)
        #expect(findings(.shortFiles, String(repeating: line, count: 401), at: "a.yaml") == 0)
    }

    @Test(arguments: [
        "func a() {", "private static func a<T>(_ b: T) async throws -> Int {", "init(a: Int) {", "init?(a: Int) {",
        "@Test(arguments: [1]) func a() {", "func a(\n        b: Int\n    ) -> Int {",
    ])
    func longFunctions(head: String) {
        func type(_ lines: Int) -> String {
            "struct A {\n    \(head)\n"
                + String(repeating: "        if true { b() }\n", count: lines) + "    }\n\n    let c = 1\n}\n"
        }
        #expect(findings(.shortFunctions, type(70)) == 0)
        #expect(findings(.shortFunctions, type(71)) == 1)
    }

    @Test func whatHasNoBodyIsNotLong() {
        let filler = String(repeating: "    let a = 1\n", count: 100)
        #expect(findings(.shortFunctions, "protocol A {\n    func a() -> Int\n\n}\nstruct B {\n\(filler)}\n") == 0)
        #expect(findings(.shortFunctions, "struct B {\n    func a() { b() }\n\(filler)}\n") == 0)
    }

    @Test func printing() {
        let call = "pri" + "nt(a)"
        #expect(findings(.noPrint, "    \(call)\n    debugPri" + "nt(a)\n") == 2)
        #expect(findings(.noPrint, "    \(call)\n", at: "ScenarioRunner/App/Commands/A.swift") == 0)
        #expect(findings(.noPrint, "    s\(call) // \(call)\n    blueprint(b)\n") == 0)
    }

    @Test(arguments: ["TO" + "DO: later", "FIX" + "ME", "(XX" + "X)", "HA" + "CK!"])
    func reminders(text: String) {
        #expect(findings(.noReminders, "let a = 1  // \(text)\n") == 1)
        #expect(findings(.noReminders, "# \(text)\n", at: "a.yaml") == 1)
        #expect(findings(.noReminders, "let a = \"\(text)\"\n") == 0)
        #expect(findings(.noReminders, "// Many TODOs or hacks\n") == 0)
    }

    @Test func force() {
        #expect(findings(.noForce, "let a = try" + "! b()\nlet c = d as" + "! E\n") == 2)
        #expect(findings(.noForce, "let a = try? b()\nlet c = d as? E\nlet f = try !b()\n") == 0)
    }

    @Test(arguments: [
        "Task { a() }", "await Task {", "Task.detached { a() }", "Task<Void, Never> {",
        "let a = Task(priority: .low) {",
        "Task.immediateDetached {", "_Concurrency.Task {", "Task.init { }",
    ])
    func looseTasks(line: String) {
        #expect(findings(.noLooseTasks, line + "\n") == 1)
        #expect(findings(.noLooseTasks, "// \(line)\n") == 0)
        #expect(findings(.noLooseTasks, line + "\n", at: "Tests/Payment/A.swift") == 0)
        #expect(findings(.noLooseTasks, line + "\n", at: "Shared/Concurrency/Uncancelled.swift") == 0)
    }

    @Test(arguments: [
        "try await Task.sleep(for: .seconds(1))", "group.addTask { a() }", "var asking: Task<Int, Never>?",
        "withUnsafeCurrentTask { $0?.cancel() }", "guard !Task.isCancelled else {", "loop.scheduleTask(in: limit) {",
        "struct TaskList {", "await uncancelled { a() }",
    ])
    func whatIsNoLooseTask(line: String) {
        #expect(findings(.noLooseTasks, line + "\n") == 0)
    }

    @Test(arguments: ["/ho" + "me/me/a", "\"/Us" + "ers/me\"", "`/wo" + "rk/a`", "(/tm" + "p/a)", "cd /ro" + "ot/a"])
    func machinePaths(path: String) {
        #expect(findings(.noMachinePaths, "a \(path)\n", at: "README.md") == 1)
        #expect(findings(.noMachinePaths, "see /usr/bin/env, ./home/a, http://a/home/b and $dir/tmp/a\n") == 0)
    }

    @Test(arguments: [
        "let amount: Double = 1", "let p = Float(price)", "let refunded: Float32", "let cents = Int(amount * 100.0)",
        "let minorUnits = Int64(Double(text) * 100)", "let gross = price * 1.19", "let half = 0.5 * chargeMinor",
        "let d = amount.doubleValue",
    ])
    func binaryMoney(line: String) {
        for path in ["Services/Payment/A.swift", "ScenarioRunner/Verdict/A.swift", "Shared/HTTP/A.swift"] {
            #expect(findings(.noBinaryMoney, line + "\n", at: path) == 1, "\(path)")
        }
        #expect(findings(.noBinaryMoney, line + "\n", at: "Tests/Payment/A.swift") == 0)
    }

    @Test(arguments: [
        "let percent: Double = 1", "let amount: Int64 = 1  // no Double", "let body = #\"{\"amount\":\"19.99\"}\"#",
        "let total = amount.minorUnits * 100 + fee", "let seconds = Double(ms) / 1000.0",
    ])
    func whatIsNoBinaryMoney(line: String) {
        #expect(findings(.noBinaryMoney, line + "\n") == 0)
    }

    @Test(arguments: [
        "Shared/Model/Money.swift", "Services/Payment/Ledger.swift", "Services/Payment/RefundStore.swift",
        "Services/Gateway/GatewayCharge.swift", "ScenarioRunner/Verdict/MoneyRules.swift",
        "ScenarioRunner/Verdict/AuditDocuments.swift",
    ])
    func filesOfMoney(path: String) {
        #expect(Repository.exists(path), "a file that moved takes its net with it")
        #expect(findings(.noBinaryMoney, "let a: Double = 1\n", at: path) == 1)
    }

    @Test(arguments: ["a ", "a\t", "    ", "a\r"])
    func trailingSpace(line: String) {
        #expect(findings(.noTrailingSpace, "\(line)\nb\n", at: "a.md") == 1)
        #expect(findings(.noTrailingSpace, "a\n\nb\n") == 0)
    }

    @Test func executables() {
        let manifest = """
            .executableTarget(
                name: "One", dependencies: ["A"], path: "Services/One", resources: openAPI),
            .target(name: "Library", path: "Library"),
            .executableTarget(name: "Two", path: "Two"),
            """
        #expect(ExecutableFolders.of(manifest) == ["Services/One", "Two"])
    }
}
