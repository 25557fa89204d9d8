#pragma once

namespace lwmsg::internal {

// Waits until all that was given to CloseLater so far is closed: for who counts handles.
void FinishClosing();

}  // namespace lwmsg::internal
