extension WorkflowSpec {
    /// A larger workflow is refused.
    static let maximumTemplates = 100
    /// Templates in templates in templates ...
    static let maximumDepth = 16
    /// All that is started from the entry on, a template that is named twice counted twice.
    static let maximumSteps = 500

    init(_ fields: ManifestFields, namespace: String) throws(Refusal) {
        try fields.allow(["entry", "templates"])
        entry = try fields.require("entry", fields.string("entry"))
        let list = try fields.objects("templates")
        guard (1...Self.maximumTemplates).contains(list.count) else {
            throw fields.refusal("templates", "needs 1 to \(Self.maximumTemplates) templates")
        }
        var templates: [Template] = []
        for template in list {
            let read = try Template(template, namespace: namespace)
            guard !templates.contains(where: { $0.name == read.name }) else {
                throw template.refusal("name", "'\(read.name)' is already the name of another template")
            }
            templates.append(read)
        }
        self.templates = templates
        guard template(named: entry) != nil else {
            throw fields.refusal("entry", "there is no template '\(entry)'")
        }
        for (template, fields) in zip(templates, list) {
            if let missing = template.children.first(where: { self.template(named: $0) == nil }) {
                throw fields.refusal("children", "there is no template '\(missing)'")
            }
        }
        for (template, fields) in zip(templates, list) { try checkDepth(template, fields) }
        var steps: [String: Int] = [:]
        guard countSteps(entry, &steps) <= Self.maximumSteps else {
            throw fields.refusal("entry", "starts more than \(Self.maximumSteps) templates")
        }
    }

    /// Saturates just above the limit.
    private func countSteps(_ name: String, _ known: inout [String: Int]) -> Int {
        if let count = known[name] { return count }
        var count = 1
        for child in template(named: name)?.children ?? [] {
            count = min(count + countSteps(child, &known), Self.maximumSteps + 1)
        }
        known[name] = count
        return count
    }

    /// - Throws: when `template` starts itself, or too many levels of others.
    private func checkDepth(_ template: Template, _ fields: ManifestFields) throws(Refusal) {
        // Level by level instead of by recursion, so that no manifest can exhaust the stack.
        var level = Set(template.children)
        var depth = 1
        while !level.isEmpty {
            depth += 1
            if level.contains(template.name) {
                throw fields.refusal("children", "'\(template.name)' starts itself: it would never end")
            }
            guard depth <= Self.maximumDepth + templates.count else { return }
            level = Set(level.flatMap { self.template(named: $0)?.children ?? [] })
        }
        guard depth <= Self.maximumDepth else {
            throw fields.refusal("children", "starts \(depth) levels of templates: at most \(Self.maximumDepth)")
        }
    }
}

extension WorkflowSpec.Template {
    private enum Group: String {
        case serial = "Serial"
        case parallel = "Parallel"
        case suspend = "Suspend"
        case schedule = "Schedule"
        case statusCheck = "StatusCheck"
        case task = "Task"
    }

    init(_ fields: ManifestFields, namespace: String) throws(Refusal) {
        name = try fields.require("name", fields.string("name"))
        guard ManifestLoader.isDNSName(name) else {
            throw fields.refusal("name", "'\(name)' is no Kubernetes name: lower-case letters, digits, '-' and '.'")
        }
        deadline = try fields.quantity("deadline", GoDuration.parse)
        let type = try fields.require("templateType", fields.string("templateType"))
        let own = ["name", "templateType", "deadline"]
        switch Group(rawValue: type) {
        case .serial?:
            try fields.allow(own + ["children"])
            body = .serial(try Self.children(fields))
        case .parallel?:
            try fields.allow(own + ["children"])
            body = .parallel(try Self.children(fields))
        case .suspend?:
            try fields.allow(own)
            _ = try fields.require("deadline", deadline)
            body = .suspend
        case .schedule?:
            try fields.allow(own + ["schedule"])
            let schedule = try fields.require("schedule", fields.object("schedule"))
            body = .schedule(try ScheduleSpec(schedule, namespace: namespace, inWorkflow: true))
        case .statusCheck?:
            try fields.allow(own + ["statusCheck", "abortWithStatusCheck"])
            let check = try fields.require("statusCheck", fields.object("statusCheck"))
            body = .statusCheck(
                try StatusCheckSpec(check), abortsWorkflow: try fields.bool("abortWithStatusCheck") ?? false)
        case .task?:
            try fields.allow(own + ["task", "conditionalBranches"])
            body = .task(fields.tree("task"), conditionalBranches: fields.tree("conditionalBranches"))
        case nil:
            body = .chaos(try Self.chaos(fields, own, type: type, namespace: namespace))
        }
    }

    private static func children(_ fields: ManifestFields) throws(Refusal) -> [String] {
        let children = try fields.strings("children")
        guard !children.isEmpty else { throw fields.refusal("children", "needs at least one template") }
        return children
    }

    private static func chaos(
        _ fields: ManifestFields, _ own: [String], type: String, namespace: String
    ) throws(Refusal) -> EmbeddedChaos {
        guard let field = EmbeddedChaos.fields[type] else {
            let known =
                ["Serial", "Parallel", "Suspend", "Schedule", "StatusCheck", "Task"]
                + EmbeddedChaos.fields.keys.sorted()
            throw fields.refusal("templateType", "'\(type)' is not one of \(known.joined(separator: ", "))")
        }
        try fields.allow(own + [field])
        let chaos = try EmbeddedChaos(fields, kind: type, namespace: namespace)
        // The rule of Chaos Mesh's webhook: in a workflow the template's deadline is what ends a chaos.
        if let inner = try fields.object(field), inner.has("duration") {
            throw inner.refusal("duration", "means nothing in a workflow: write the template's deadline instead")
        }
        return chaos
    }
}
