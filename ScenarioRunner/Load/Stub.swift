import Shared
import Histogram
