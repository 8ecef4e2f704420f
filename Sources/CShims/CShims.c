// SwiftPM requires a source file in a C target. All code is in the headers.
#include "CShims.h"
