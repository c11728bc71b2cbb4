import Experiments
import HTTPTypes
import Shared

/// Draws the requests of a plan, one after the other.
struct RequestMix {
    /// The plan's requests as a ``LoadLoop`` takes them: a form has the place of its template.
    let forms: [LoadForm]
    var memory = LoadMemory()

    private let requests: [RequestTemplate]
    private let recalls: [[String]]
    /// The sums of the weights up to and with each template.
    private let bounds: [Int]
    /// What decides, and what must be unique: apart, so that a run's keys are its own and its choices are the seed's.
    private var choices: SeededGenerator
    private var keys: SeededGenerator

    /// - Parameter keepsAnswers: whether the answers of payments are wanted, for their names.
    init(_ plan: LoadPlan, keepsAnswers: Bool) {
        requests = plan.requests
        recalls = plan.requests.map { $0.recalls.sorted() }
        var sum = 0
        bounds = plan.requests.map { request in
            sum += request.weight
            return sum
        }
        choices = SeededGenerator(seed: plan.seed, purpose: "requests")
        keys = SeededGenerator(seed: plan.seed, purpose: "keys \(plan.runID)")
        forms = plan.requests.map { Self.form($0, keepsAnswers: keepsAnswers) }
    }

    private static func form(_ request: RequestTemplate, keepsAnswers: Bool) -> LoadForm {
        var headers = HTTPFields()
        for (name, value) in request.headers {
            if let text = value.constant { headers.append(HTTPField(name: name, value: text)) }
        }
        let looksAtBody = request.expectation?.looksAtBody == true || !request.remembers.isEmpty
        return LoadForm(
            method: request.method, url: request.url.constant ?? "", headers: headers,
            body: request.body.map { Array(($0.constant ?? "").utf8) },
            keepsAnswer: looksAtBody || keepsAnswers && request.isPayment)
    }

    /// Fills in `message` for the next request.
    ///
    /// - Returns: the place of its template. One that recalls what no answer has left yet gives way to one that
    ///   remembers it.
    mutating func draw(into message: inout LoadMessage) -> Int {
        var place = 0
        if bounds.count > 1 {
            let draw = Int.random(in: 0..<bounds[bounds.count - 1], using: &choices)
            place = bounds.firstIndex { draw < $0 } ?? 0
        }
        if let missing = recalls[place].first(where: { !memory.knows($0) }) {
            place = Self.source(of: missing, in: requests) ?? place
        }
        fill(&message, place)
        return place
    }

    private mutating func fill(_ message: inout LoadMessage, _ place: Int) {
        let request = requests[place]
        message.form = place
        if request.url.constant == nil { message.url = render(request.url) }
        for (name, value) in request.headers where value.constant == nil {
            message.headers.append(HTTPField(name: name, value: render(value)))
        }
        if let body = request.body, body.constant == nil { message.body = Array(render(body).utf8) }
    }

    private mutating func render(_ template: TextTemplate) -> String {
        template.render(choices: &choices, keys: &keys, memory: &memory)
    }

    /// The first request that remembers `name` and needs nothing itself.
    static func source(of name: String, in requests: [RequestTemplate]) -> Int? {
        requests.firstIndex { $0.remembers[name] != nil && $0.recalls.isEmpty }
    }
}
