import CCurl
import GRDB
import Hummingbird
