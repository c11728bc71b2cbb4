import Foundation
import HTTPTypes
import Hummingbird
import Shared
import Verdict

/// `/api/runs/{id}/report` and `/api/compare`: what runs amount to, for people and tools.
struct ReportsController: Sendable {
    let manager: RunManager

    var routes: [Route] {
        [.get("/api/runs/{id}/report", report), .get("/api/compare", compare)]
    }

    private func report(_ request: Request, _ context: AppContext) async throws -> Response {
        let journal = try manager.journal(try context.pathParameter("id"))
        var query = QueryReader(request)
        let format = query.choice("format", of: ReportFormat.self, default: .html)
        try query.finish()
        let text = try format.render(journal)
        return format == .html ? .report(text) : .text(text, contentType: format.contentType)
    }

    private func compare(_ request: Request, _ context: AppContext) async throws -> Response {
        var query = QueryReader(request)
        let a = query.requiredText("a")
        let b = query.requiredText("b")
        let seed = query.optionalInteger("seed", in: 0...Int(RunRequest.seeds.upperBound)) ?? 1
        let format = query.choice("format", of: ComparisonFormat.self, default: .json)
        try query.finish()
        let (journalA, journalB) = (try manager.journal(a), try manager.journal(b))
        let comparison = RunComparison(journalA, journalB, seed: UInt64(seed))
        switch format {
        case .json:
            let json = String(decoding: try comparison.json(), as: UTF8.self)
            return .text(json, contentType: ReportFormat.json.contentType)
        case .html:
            return .report(ComparisonPage(journalA, journalB, comparison).html)
        case .text: return .text(ComparisonTable.render(comparison), contentType: ReportFormat.text.contentType)
        }
    }

    private enum ComparisonFormat: String, CaseIterable {
        case json, html, text
    }
}

extension Response {
    fileprivate static func report(_ page: String) -> Response {
        var response = Response.text(page, contentType: ReportFormat.html.contentType)
        response.headers[.contentSecurityPolicy] = RunnerAPI.reportPolicy
        return response
    }
}

extension QueryReader {
    fileprivate mutating func requiredText(_ name: String) -> String {
        let text = self.text(name, default: "")
        if text.isEmpty { reject(name, "is required: the id of a run") }
        return text
    }

    /// One of the words of `Choice`.
    fileprivate mutating func choice<Choice: RawRepresentable<String> & CaseIterable>(
        _ name: String, of type: Choice.Type, default fallback: Choice
    ) -> Choice {
        let word = text(name, default: fallback.rawValue)
        guard let choice = Choice(rawValue: word) else {
            reject(name, "must be one of \(Choice.allCases.map(\.rawValue).joined(separator: ", "))")
            return fallback
        }
        return choice
    }
}

extension RunManager {
    /// The journal of a run, of this lab or of one before it in the same folder.
    ///
    /// - Throws: ``Problem``: 404 for an unknown run, 409 for one that has not ended.
    func journal(_ id: String) throws -> Journal {
        if let known = try? details(id) {
            guard known.view.state == .finished else { throw Problem.conflict("The run \(id) has not ended yet.") }
            if let journal = known.journal { return journal }
        }
        do {
            if let earlier = try journals.journal(id) { return earlier }
        } catch let error as UnreadableJournal {
            throw Problem.notFound("\(error)")
        }
        throw Problem.notFound("There is no run \(id); GET /api/runs lists them.")
    }
}
